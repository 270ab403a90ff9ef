#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "agent/explanation_report.h"
#include "dubbo/consumer_identity.h"
#include "dubbo/rule_texts.h"
#include "dubbo/service_key.h"
#include "dubbo/url.h"
#include "forwarder/explanation.h"
#include "governance/rule_set.h"
#include "governance/service_route.h"
#include "governance/static_routes/static_routes.h"

namespace skiff::agent {

// Where what the registries say of services and rules, and the static routes, become the routes of
// the data plane. Logs what of it is not in force. Lives on the control thread.
class RouteCompiler {
 public:
  std::shared_ptr<const governance::ServiceRoute> compile(const std::string& interface,
                                                          std::vector<dubbo::Url> providers,
                                                          const dubbo::RuleTexts& rules,
                                                          const dubbo::ConsumerIdentity& consumer);
  // What compile() was told of this interface is not needed any more.
  void forget(const std::string& interface) { known_.erase(interface); }
  // For compile() from then on.
  void set_static_routes(std::shared_ptr<const governance::StaticRoutes> routes) {
    static_routes_ = std::move(routes);
  }

  // What a provider of this machine is to the registry: a thin provider does not apply the rules
  // about itself, so the agent does (reference.md 1.6).
  dubbo::Url governed(const dubbo::Url& provider, const dubbo::RuleTexts& rules);

  // Who says what of a request to each of `providers`, the interface's.
  std::vector<ProviderValue> value_sources(const forwarder::ExplainRequest& request,
                                           const std::vector<dubbo::Url>& providers) const;

  // A rule that concerns interfaces with a route.
  struct KnownRule {
    std::vector<std::string> interfaces;
    std::string problem;  // why it is not in force as it is written
    // Addresses in it that no known provider of an interface has, neither as it is registered nor
    // as it listens.
    std::set<std::string> unknown_providers;
  };
  // By the document's key, or the URL.
  std::map<std::string, KnownRule> rules() const;
  // Those that are not in force as they are written.
  std::size_t broken_rules() const;

 private:
  struct Known {
    governance::RuleSet rules;             // also keeps what was right of rules that are broken now
    std::set<std::string> addresses = {};  // of its providers, where there are rules
    dubbo::ConsumerIdentity consumer;
  };

  void log_once(const std::vector<std::string>& sentences, const char* what);

  governance::RuleReader reader_;
  std::map<std::string, Known> known_;  // by interface
  // By service, and the port that its provider listens on.
  std::map<std::pair<dubbo::ServiceKey, std::uint16_t>, governance::RuleSet> published_;
  std::shared_ptr<const governance::StaticRoutes> static_routes_;
  std::unordered_set<std::string> logged_;  // sentences
};

}  // namespace skiff::agent
