#pragma once

#include <string>
#include <vector>

#include "dubbo/consumer_identity.h"
#include "dubbo/service_key.h"
#include "registry/listed_provider.h"
#include "registry/rule_book.h"

// Which rules concern whom: the keys that Dubbo's own consumers and providers listen to
// (RegistryDirectory, ServiceConfigurationListener, ListenableStateRouter, TagStateRouter). Pure
// functions.
namespace skiff::registry {

// Who of this machine calls an interface.
struct InterfaceConsumers {
  dubbo::ConsumerIdentity identity;         // of the one that routes are made for
  std::vector<dubbo::ServiceKey> services;  // that were asked for; may be patterns
  std::vector<std::string> applications;
};

// At most kMaxRuleSubjectsPerInterface; `are_more` says whether some are left out.
struct RuleNeeds {
  std::vector<RuleNeed> needs;
  bool are_more = false;
};
RuleNeeds rule_needs_of(const std::string& interface, const ListedProviders& providers,
                        const InterfaceConsumers& consumers);

// Of a provider that this agent publishes.
std::vector<RuleNeed> rule_needs_of_provider(const dubbo::ServiceKey& service,
                                             const std::string& application);

}  // namespace skiff::registry
