#include "governance/configurators/condition_match.h"

#include <algorithm>

#include "dubbo/real_port.h"

namespace skiff::governance {
namespace {

// A rule for providers may name the port, though Dubbo compares with the host alone: its own test
// does, and what it means is clear.
std::vector<std::string> names_of_target(const ConfiguratorTarget& target, const dubbo::Url& url) {
  if (target.side == ConfiguratorTarget::Side::kProvider) return names_of_provider(url);
  return {target.consumer->host};
}

bool matches_any(const AddressMatch& match, const std::vector<std::string>& names) {
  return std::ranges::any_of(names, [&](const std::string& name) { return match.matches(name); });
}

}  // namespace

std::optional<std::string_view> target_parameter(const ConfiguratorTarget& target,
                                                 const dubbo::Url& url, std::string_view key) {
  const bool is_consumer = target.side == ConfiguratorTarget::Side::kConsumer;
  if (key == "side") return is_consumer ? "consumer" : "provider";
  if (key == "application" && is_consumer) return target.consumer->application;
  const auto found = url.parameters.find(key);
  if (found == url.parameters.end()) return std::nullopt;
  return found->second;
}

std::vector<std::string> names_of_provider(const dubbo::Url& provider) {
  return {provider.host, provider.address(),
          dubbo::format_host_port(provider.host, dubbo::real_port(provider))};
}

ConditionMatch ConditionMatch::read(const YamlFields& fields) {
  fields.refuse_others_than({"address", "providerAddress", "service", "app", "param"});
  ConditionMatch match;
  if (const auto one = fields.map("address")) match.address_ = AddressMatch::read(*one);
  if (const auto one = fields.map("providerAddress")) {
    match.provider_address_ = AddressMatch::read(*one);
  }
  if (const auto one = fields.map("service")) match.service_ = TextMatchList::read(*one);
  if (const auto one = fields.map("app")) match.application_ = TextMatchList::read(*one);
  for (const YamlFields& one : fields.maps("param")) {
    one.refuse_others_than({"key", "value"});
    if (!one.has("key")) one.add_error("key: expected the name of a parameter");
    const auto value = one.map("value");
    if (!value) {
      one.add_error("value: expected a match");
      continue;
    }
    match.parameters_.push_back({.key = one.text("key"), .value = TextMatch::read(*value)});
  }
  return match;
}

bool ConditionMatch::matches(const ConfiguratorTarget& target, const dubbo::Url& url) const {
  if (address_ && !matches_any(*address_, names_of_target(target, url))) return false;
  if (provider_address_ && !matches_any(*provider_address_, names_of_provider(url))) return false;
  if (service_ && !service_->matches(url.service_key().to_string())) return false;
  if (application_ && !application_->matches(target_parameter(target, url, "application"))) {
    return false;
  }
  return std::ranges::all_of(parameters_, [&](const ParameterMatch& one) {
    return one.value.matches(target_parameter(target, url, one.key));
  });
}

}  // namespace skiff::governance
