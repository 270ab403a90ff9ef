#include "governance/configurators/configurator_rule.h"

#include <algorithm>
#include <array>
#include <utility>

#include "dubbo/real_port.h"

namespace skiff::governance {
namespace {

using Side = ConfiguratorTarget::Side;

// What says when a rule holds, or how it is kept; Dubbo copies some of it to URLs, where it means
// nothing.
constexpr std::array<std::string_view, 13> kOfTheRule = {
    "anyhost", "application",   "category",   "check",    "compatible_config",
    "dynamic", "configVersion", "enabled",    "priority", "providerAddresses",
    "side",    "interfaces",    "classifier",
};
// What tells services and providers apart: another value there would call something else.
constexpr std::array<std::string_view, 4> kOfTheService = {"group", "interface", "version",
                                                           dubbo::kRealPortParameter};
// What Dubbo refuses to take from rules: with them a rule could name a script to run, or a file.
constexpr std::array<std::string_view, 5> kRefusedByDubbo = {"accesslog.fixed.path", "router",
                                                             "rule", "runtime", "type"};

bool is_changeable(std::string_view key) {
  const auto is_key = [key](std::string_view one) { return one == key; };
  return !key.empty() && !key.starts_with('~') && std::ranges::none_of(kOfTheRule, is_key) &&
         std::ranges::none_of(kOfTheService, is_key) &&
         std::ranges::none_of(kRefusedByDubbo, is_key);
}

class RuleConfigurator final : public Configurator {
 public:
  RuleConfigurator(std::string name, ConfiguratorAddress address, int priority,
                   std::shared_ptr<const ConfiguratorRule> rule)
      : name_(std::move(name)),
        address_(std::move(address)),
        priority_(priority),
        rule_(std::move(rule)) {}

  const std::string& name() const override { return name_; }
  const std::string& host() const override { return address_.host; }
  int priority() const override { return priority_; }

  bool apply(const ConfiguratorTarget& target, dubbo::Url& url) const override {
    const bool applies = rule_->style == ConfiguratorRule::Style::kDubbo26
                             ? address_matches_as_26(target, url)
                             : address_matches_as_27(target, url);
    if (!applies || !rule_matches(target, url)) return false;
    for (const auto& [key, value] : rule_->parameters) {
      if (rule_->only_absent && !url.parameter(key).empty()) continue;
      url.parameters.insert_or_assign(key, value);
    }
    return true;
  }

 private:
  bool is_host(const std::string& host) const {
    return address_.host == kAnyHost || address_.host == host;
  }

  // An address with a port is a provider's, and the rule is for both sides; one without is a
  // consumer's, and not for providers.
  bool address_matches_as_26(const ConfiguratorTarget& target, const dubbo::Url& url) const {
    if (address_.port != 0) {
      const bool is_port = address_.port == url.port || address_.port == dubbo::real_port(url);
      return is_port && is_host(url.host);
    }
    return target.side == Side::kConsumer ? is_host(target.consumer->host)
                                          : address_.host == kAnyHost;
  }

  // Only the host counts: the ports of providers are in ConfiguratorRule::provider_addresses.
  bool address_matches_as_27(const ConfiguratorTarget& target, const dubbo::Url& url) const {
    return target.side == rule_->side &&
           is_host(target.side == Side::kConsumer ? target.consumer->host : url.host);
  }

  bool rule_matches(const ConfiguratorTarget& target, const dubbo::Url& url) const {
    return is_of_provider(url) && is_of_application(target, url) && is_of_service(url) &&
           conditions_hold(target, url) && (!rule_->match || rule_->match->matches(target, url));
  }

  bool conditions_hold(const ConfiguratorTarget& target, const dubbo::Url& url) const {
    return std::ranges::all_of(rule_->conditions, [&](const auto& condition) {
      const auto& [key, value] = condition;
      return value == "*" || target_parameter(target, url, key) == value;
    });
  }

  bool is_of_provider(const dubbo::Url& url) const {
    if (rule_->provider_addresses.empty()) return true;
    std::vector<std::string> names = names_of_provider(url);
    names.insert(names.end(),
                 {std::string(kAnyHost), std::string(kAnyHost) + ":*",
                  std::string(kAnyHost) + ':' + std::to_string(url.port),
                  std::string(kAnyHost) + ':' + std::to_string(dubbo::real_port(url))});
    return std::ranges::any_of(rule_->provider_addresses, [&](const std::string& address) {
      return std::ranges::find(names, address) != names.end();
    });
  }

  bool is_of_application(const ConfiguratorTarget& target, const dubbo::Url& url) const {
    const auto& wanted = rule_->applications;
    const auto own = target_parameter(target, url, "application").value_or("");
    return wanted.empty() ||
           std::ranges::any_of(wanted, [own](const std::string& one) { return one == own; });
  }

  bool is_of_service(const dubbo::Url& url) const {
    const auto& wanted = rule_->services;
    return wanted.empty() || std::ranges::find(wanted, url.service_key()) != wanted.end();
  }

  std::string name_;
  ConfiguratorAddress address_;
  int priority_;
  std::shared_ptr<const ConfiguratorRule> rule_;
};

}  // namespace

void set_parameters(const std::map<std::string, std::string, std::less<>>& parameters,
                    ConfiguratorRule& rule) {
  for (const auto& [key, value] : parameters) {
    if (is_changeable(key)) rule.parameters.emplace(key, value);
  }
}

std::shared_ptr<const Configurator> make_configurator(
    std::string name, ConfiguratorAddress address, int priority,
    std::shared_ptr<const ConfiguratorRule> rule) {
  return std::make_shared<RuleConfigurator>(std::move(name), std::move(address), priority,
                                            std::move(rule));
}

void sort_configurators(Configurators& configurators) {
  std::ranges::stable_sort(configurators, {}, [](const auto& one) {
    return std::pair<std::string_view, int>(one->host(), one->priority());
  });
}

}  // namespace skiff::governance
