#include <charconv>
#include <memory>
#include <utility>

#include "governance/configurators/configurator_rule.h"

namespace skiff::governance {
namespace {

using Side = ConfiguratorTarget::Side;

// What is no number counts as 0, as in Dubbo.
int priority_of(const dubbo::Url& url) {
  const std::string_view text = url.parameter("priority");
  int priority = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), priority);
  return problem == std::errc() && end == text.data() + text.size() ? priority : 0;
}

bool is_enabled(const dubbo::Url& url) {
  return url.parameter("enabled", "true") == "true" && url.parameter("compatible_config").empty();
}

void read_provider_addresses(const dubbo::Url& url, ConfiguratorRule& rule) {
  std::string_view left = url.parameter("providerAddresses");
  while (!left.empty()) {
    const std::size_t comma = left.find(',');
    if (comma != 0) rule.provider_addresses.emplace_back(left.substr(0, comma));
    left = comma == std::string_view::npos ? std::string_view{} : left.substr(comma + 1);
  }
}

// Conditions on parameters of the URL; rules of v3.0 have `match` for that, which no URL can hold.
void read_conditions(const dubbo::Url& url, ConfiguratorRule& rule) {
  if (url.parameter("configVersion").starts_with("v3.0")) return;
  for (const auto& [key, value] : url.parameters) {
    if (key.starts_with('~')) rule.conditions.emplace(key.substr(1), value);
  }
  if (const std::string_view side = url.parameter("side"); !side.empty()) {
    rule.conditions.emplace("side", side);
  }
}

std::shared_ptr<const ConfiguratorRule> read_rule(const dubbo::Url& url) {
  auto rule = std::make_shared<ConfiguratorRule>();
  rule->style = url.parameter("configVersion").empty() ? ConfiguratorRule::Style::kDubbo26
                                                       : ConfiguratorRule::Style::kDubbo27;
  rule->side = url.parameter("side") == "provider" ? Side::kProvider : Side::kConsumer;
  rule->only_absent = url.protocol == "absent";
  read_provider_addresses(url, *rule);
  read_conditions(url, *rule);
  const std::string_view application = url.parameter("application", url.username);
  if (!application.empty() && application != "*") rule->applications.emplace_back(application);
  if (dubbo::ServiceKey service = url.service_key(); service.to_string() != "*") {
    rule->services.push_back(std::move(service));
  }
  set_parameters(url.parameters, *rule);
  return rule;
}

// Since 2.7 a rule is for one side.
bool has_side(const dubbo::Url& url) {
  const std::string_view side = url.parameter("side");
  return url.parameter("configVersion").empty() || side == "consumer" || side == "provider";
}

}  // namespace

Result<Configurators> parse_configurator_url(const dubbo::Url& url) {
  if (url.protocol != "override" && url.protocol != "absent") {
    return fail(ErrorCode::kUnsupported, "configurator " + url.protocol + "://" + url.address() +
                                             ": expected override:// or absent://");
  }
  if (url.parameters.size() > kMaxParametersPerConfigurator) {
    return fail(ErrorCode::kTooLarge, "configurator " + url.protocol + "://" + url.address() +
                                          " with " + std::to_string(url.parameters.size()) +
                                          " parameters, the limit is " +
                                          std::to_string(kMaxParametersPerConfigurator));
  }
  auto rule = read_rule(url);
  if (!is_enabled(url) || !has_side(url) || rule->parameters.empty()) return Configurators();
  std::string name = "configurator " + url.to_string();
  return Configurators{make_configurator(std::move(name), {.host = url.host, .port = url.port},
                                         priority_of(url), std::move(rule))};
}

}  // namespace skiff::governance
