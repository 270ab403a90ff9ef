#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace skiff::forwarder {

// A request that nobody sends: how would it be routed?
struct ExplainRequest {
  std::string interface;
  std::string group = {};    // as its attachment would say
  std::string version = {};  // as its head would say
  std::string method = {};
  std::vector<std::pair<std::string, std::string>> attachments = {};
  std::vector<std::string> arguments = {};  // as rules compare them
};

// How one worker would route it now: the same code that routes requests, and the same state.
struct Explanation {
  // A rule that was asked.
  struct Step {
    std::string rule;
    std::string outcome;  // "no match", "narrowed", "ignored: it would leave none", "refused"
    std::string detail = {};
    std::vector<std::string> left = {};  // addresses after it, where it narrowed them
  };
  // Where rules have destinations with weights, a request takes one of several paths.
  struct Path {
    double probability = 1;
    std::vector<Step> steps = {};
    std::string refused = {};  // why; empty where it is sent
    std::string balancer = {};
    std::string policy_of_rule = {};  // the rule that says more than who is asked; its timeout...
    std::optional<std::chrono::milliseconds> rule_timeout = {};
    std::optional<std::uint32_t> rule_retries = {};
  };
  struct Provider {
    std::string address;
    std::string state;         // as Endpoint::describe() says it
    std::uint32_t weight = 0;  // now, with warm-up
    double probability = 0;    // that the request goes there first
  };

  std::string problem = {};  // why there is no cluster to route in; empty where there is one
  bool is_unknown = false;   // since there is no route for the interface
  std::string group = {};    // of the cluster
  std::string version = {};
  std::string cluster_mode = {};
  bool sticky = false;
  std::vector<Path> paths = {};
  bool has_more_paths = false;           // than are listed
  std::vector<std::string> filters;      // that are for this request, and what they do
  std::vector<std::string> unconcerned;  // rules that concern no request for this method
  std::vector<Provider> providers = {};  // of the cluster
};

}  // namespace skiff::forwarder
