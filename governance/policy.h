#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dubbo/url.h"

namespace skiff::governance {

// How one provider of those that rules leave is chosen; `loadbalance` of Dubbo's URLs.
enum class LoadBalance : std::uint8_t {
  kRandom,            // "random", by weight
  kRoundRobin,        // "roundrobin", smooth weighted
  kLeastActive,       // "leastactive": fewest requests in flight, among equals by weight
  kConsistentHash,    // "consistenthash"
  kShortestResponse,  // "shortestresponse": usual answer time times requests in flight
  kP2c,               // "p2c", "adaptive": the better of two, by EWMA of answer time and load
};

struct BalancePolicy {
  LoadBalance kind = LoadBalance::kRandom;
  // Of kConsistentHash: what is hashed. Dubbo's `hash.arguments` ("0" by default), or an
  // attachment's value where `hash_attachment` is not empty.
  std::vector<std::uint32_t> hash_arguments = {0};
  std::string hash_attachment = {};
  std::uint32_t hash_nodes = 160;  // `hash.nodes`, points a provider

  bool operator==(const BalancePolicy&) const = default;
};

// What becomes of a request that fails; `cluster` of Dubbo's URLs.
enum class ClusterMode : std::uint8_t {
  kFailover,   // another provider is asked, `retries` times
  kFailfast,   // it fails
  kFailsafe,   // it is answered with null
  kFailback,   // answered with null, and sent again later
  kForking,    // `forks` providers are asked at once, the first answer counts
  kBroadcast,  // all are asked; it fails where one does
  kAvailable,  // the first that is connected
};

std::string_view name_of(LoadBalance kind);  // as in URLs
std::string_view name_of(ClusterMode mode);

// How a cluster's requests of one method are sent.
struct Policy {
  BalancePolicy balance = {};
  ClusterMode mode = ClusterMode::kFailover;
  std::uint32_t forks = 2;  // of kForking; `forks`
  bool sticky = false;      // the same provider as long as it can be called

  bool operator==(const Policy&) const = default;
};

// The policies of one cluster.
struct Policies {
  struct OfMethod {
    std::string method;
    Policy policy;
    bool operator==(const OfMethod&) const = default;
  };

  Policy policy = {};                  // of all methods that are not named
  std::vector<OfMethod> methods = {};  // each once

  const Policy& of(std::string_view method) const;
  bool operator==(const Policies&) const = default;
};

// What the URL of a provider says (`loadbalance`, `cluster`, `forks`, `sticky`, `hash.arguments`,
// `hash.nodes`, and the same behind "<method>."). A name that is none of ours counts as the
// default; the sentence about it is added to `problems`.
Policies read_policies(const dubbo::Url& url, std::vector<std::string>& problems);

// What a rule says instead, for the requests that it matches; what it leaves open is as the
// provider's URL, the configurators and the defaults say.
struct RoutePolicy {
  std::string source;  // which rule: "route demo, entry canary"
  std::optional<BalancePolicy> balance = {};
  std::optional<std::chrono::milliseconds> timeout = {};
  std::optional<std::uint32_t> retries = {};

  bool operator==(const RoutePolicy&) const = default;
};

}  // namespace skiff::governance
