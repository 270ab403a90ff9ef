#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dubbo/service_key.h"
#include "governance/configurators.h"
#include "governance/configurators/condition_match.h"

namespace skiff::governance {

// What a configurator asks of a provider's URL, and what it changes there.
struct ConfiguratorRule {
  // How it is matched: as Dubbo up to 2.6 does (URLs without configVersion), or since 2.7 (the
  // documents), where it is for one side.
  enum class Style { kDubbo26, kDubbo27 };
  Style style = Style::kDubbo26;
  ConfiguratorTarget::Side side = ConfiguratorTarget::Side::kConsumer;  // of kDubbo27
  bool only_absent = false;  // absent://: sets what is not there

  std::vector<std::string> provider_addresses;    // empty: any
  std::vector<std::string> applications;          // of the target; empty: any
  std::vector<dubbo::ServiceKey> services;        // empty: any
  std::map<std::string, std::string> conditions;  // parameters that the URL must have: `~key`
  std::optional<ConditionMatch> match;            // since v3.0

  std::map<std::string, std::string> parameters;
};

// Where a rule's address leads: a consumer's, a provider's, or kAnyHost.
struct ConfiguratorAddress {
  std::string host;
  std::uint16_t port = 0;  // 0: none is named
};
inline constexpr std::string_view kAnyHost = "0.0.0.0";

// Copies `parameters` to the rule, but for those that configurators do not change: what tells
// services apart, what Dubbo refuses to change, and what says when the rule holds.
void set_parameters(const std::map<std::string, std::string, std::less<>>& parameters,
                    ConfiguratorRule& rule);

// Several with different addresses may share a rule.
std::shared_ptr<const Configurator> make_configurator(std::string name, ConfiguratorAddress address,
                                                      int priority,
                                                      std::shared_ptr<const ConfiguratorRule> rule);

}  // namespace skiff::governance
