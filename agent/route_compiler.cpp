#include "agent/route_compiler.h"

#include <spdlog/spdlog.h>

#include <set>
#include <utility>

#include "dubbo/real_port.h"
#include "dubbo/service_key.h"
#include "governance/compile_route.h"
#include "governance/effective_url.h"
#include "governance/rule_addresses.h"

namespace skiff::agent {
namespace {

// Different sentences that are logged; a fleet can have any number.
constexpr std::size_t kMaxLogged = 1'000;

// As registered, and as they really listen.
std::set<std::string> addresses_of(const std::vector<dubbo::Url>& providers) {
  std::set<std::string> addresses;
  for (const dubbo::Url& url : providers) {
    addresses.insert(url.address());
    addresses.insert(dubbo::format_host_port(url.host, dubbo::real_port(url)));
  }
  return addresses;
}

// Whether the request's method, and no other one, is concerned by such a parameter.
bool concerns(std::string_view parameter, std::string_view method) {
  const auto dot = parameter.find('.');
  if (dot == std::string_view::npos) return true;
  for (const std::string_view prefix : {"hash.", "dubbo.", "default."}) {
    if (parameter.starts_with(prefix)) return true;
  }
  return parameter.size() > method.size() && parameter.starts_with(method) &&
         parameter[method.size()] == '.';
}

// A rule of 2.6 is written in a URL's parameter, once more encoded.
std::string readable(const governance::ReadRule& rule) {
  if (!rule.text.empty()) return rule.text;
  return rule.name + " " + dubbo::url_decode(rule.name).value_or("");
}

}  // namespace

std::shared_ptr<const governance::ServiceRoute> RouteCompiler::compile(
    const std::string& interface, std::vector<dubbo::Url> providers, const dubbo::RuleTexts& rules,
    const dubbo::ConsumerIdentity& consumer) {
  Known& known = known_[interface];
  known = {.rules = reader_.read(rules), .consumer = consumer};
  if (!rules.empty()) known.addresses = addresses_of(providers);
  log_once(known.rules.problems(), "a rule is not in force as it is written");
  governance::CompiledRoute compiled =
      governance::compile_service_route({.interface = interface,
                                         .providers = std::move(providers),
                                         .rules = known.rules,
                                         .consumer = consumer,
                                         .static_routes = static_routes_});
  log_once(compiled.problems, "governance");
  return std::make_shared<const governance::ServiceRoute>(std::move(compiled.route));
}

dubbo::Url RouteCompiler::governed(const dubbo::Url& provider, const dubbo::RuleTexts& rules) {
  const dubbo::ServiceKey service = provider.service_key();
  const std::pair publication(service, dubbo::real_port(provider));
  if (rules.empty()) {
    published_.erase(publication);
    return provider;
  }
  governance::RuleSet& read = published_[publication];
  read = reader_.read(rules);
  log_once(read.problems(), "a rule is not in force as it is written");
  dubbo::Url url = provider;
  const auto configurators =
      read.configurators(service, std::string(provider.parameter("application")));
  for (const auto& configurator : configurators) {
    configurator->apply({.side = governance::ConfiguratorTarget::Side::kProvider}, url);
  }
  return url;
}

std::vector<ProviderValue> RouteCompiler::value_sources(
    const forwarder::ExplainRequest& request, const std::vector<dubbo::Url>& providers) const {
  const auto known = known_.find(request.interface);
  if (known == known_.end()) return {};
  std::vector<ProviderValue> values;
  for (const dubbo::Url& provider : providers) {
    dubbo::ServiceKey service = provider.service_key();
    service.interface = request.interface;
    if (service.group != request.group || service.version != request.version) continue;
    const auto configurators =
        known->second.rules.configurators(service, known->second.consumer.application);
    for (governance::ValueSource& source :
         governance::value_sources(provider, known->second.consumer, configurators)) {
      if (!concerns(source.parameter, request.method)) continue;
      values.push_back({.provider = provider.address(),
                        .key = std::move(source.parameter),
                        .value = std::move(source.value),
                        .source = std::move(source.source)});
    }
  }
  return values;
}

std::map<std::string, RouteCompiler::KnownRule> RouteCompiler::rules() const {
  std::map<std::string, KnownRule> all;
  for (const auto& [interface, known] : known_) {
    const auto add = [&, &on = interface, &here = known](const governance::ReadRule& rule) {
      KnownRule& known_rule = all[rule.name];
      known_rule.interfaces.push_back(on);
      known_rule.problem = rule.problem;
      for (const std::string& address : governance::addresses_in(readable(rule))) {
        if (!here.addresses.contains(address)) known_rule.unknown_providers.insert(address);
      }
    };
    for (const auto& [key, rule] : known.rules.documents()) add(*rule);
    for (const governance::ReadRulePtr& rule : known.rules.urls()) add(*rule);
  }
  return all;
}

// An application's document concerns many interfaces.
std::size_t RouteCompiler::broken_rules() const {
  std::set<std::string_view> broken;
  for (const auto& [interface, known] : known_) {
    for (const auto& [key, rule] : known.rules.documents()) {
      if (!rule->problem.empty()) broken.insert(key);
    }
    for (const governance::ReadRulePtr& rule : known.rules.urls()) {
      if (!rule->problem.empty()) broken.insert(rule->name);
    }
  }
  return broken.size();
}

// Every list that arrives says the same again.
void RouteCompiler::log_once(const std::vector<std::string>& sentences, const char* what) {
  for (const std::string& sentence : sentences) {
    if (logged_.size() >= kMaxLogged) return;
    if (!logged_.insert(sentence).second) continue;
    spdlog::warn("{}: {}", what, sentence);
    if (logged_.size() == kMaxLogged) {
      spdlog::warn("further sentences about providers and rules will not be logged");
    }
  }
}

}  // namespace skiff::agent
