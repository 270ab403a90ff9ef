// URLs in /dubbo/<interface>/routers: Dubbo's ConditionStateRouter, as a directory builds it.

#include <charconv>
#include <utility>

#include "dubbo/service_key.h"
#include "governance/condition/condition_router.h"
#include "governance/condition/condition_text.h"
#include "governance/router_rules.h"
#include "governance/rule_limits.h"
#include "governance/shown_rule.h"
#include "governance/yaml_fields.h"

namespace skiff::governance {
namespace {

class UrlConditionRule final : public RouterRule {
 public:
  UrlConditionRule(dubbo::ServiceKey service, RoutingCondition condition)
      : service_(std::move(service)),
        condition_(std::make_shared<const RoutingCondition>(std::move(condition))) {}

  void compile(const RuleScope& scope, Routers& out) const override {
    const dubbo::ServiceKey wanted = {.interface = std::string(scope.interface),
                                      .group = std::string(scope.group),
                                      .version = std::string(scope.version)};
    const bool any_interface = service_.interface == "*";
    if (!any_interface && !dubbo::matches(wanted, service_)) return;
    out.push_back(compile_condition(condition_, scope));
  }

 private:
  dubbo::ServiceKey service_;
  std::shared_ptr<const RoutingCondition> condition_;
};

// "route://...?router=script" is a script:// of another spelling.
std::string_view kind_of(const dubbo::Url& url) { return url.parameter("router", url.protocol); }

std::string shown_url(const dubbo::Url& url) {
  return shown_rule(url.protocol + "://" + url.address() + "/" + url.path);
}

Result<int> priority_of(const dubbo::Url& url) {
  const std::string_view text = url.parameter("priority", "0");
  int priority = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), priority);
  if (problem == std::errc() && end == text.data() + text.size()) return priority;
  return fail(ErrorCode::kMalformed, "priority " + shown_rule(text) + " of " + shown_url(url) +
                                         ": expected a whole number");
}

Result<RoutingCondition> condition_of(const dubbo::Url& url) {
  // Encoded once by itself, before the URL was.
  const auto text = dubbo::url_decode(url.parameter("rule"));
  if (!text) return fail(ErrorCode::kMalformed, "rule: " + text.error().message);
  auto condition = parse_routing_condition(*text);
  if (!condition) return fail(ErrorCode::kMalformed, "rule: " + condition.error().message);
  if (count_values(*condition) > kMaxRuleValues) {
    return fail(ErrorCode::kTooLarge, "rule: over " + std::to_string(kMaxRuleValues) +
                                          " values to compare with, the limit");
  }
  condition->force = url.parameter("force") == "true";
  condition->name = "condition rule " + shown_url(url) + ": " + shown_rule(*text);
  return condition;
}

}  // namespace

Result<UrlRule> parse_router_url(const dubbo::Url& url) {
  const std::string_view kind = kind_of(url);
  // Stands where there is none. Tags in providers' URLs count whether or not a tag:// says so.
  if (kind == "empty" || kind == "tag" || url.parameter("enabled") == "false") return UrlRule{};
  if (kind != "condition") {
    return fail(ErrorCode::kUnsupported,
                "router " + shown_url(url) + " is of kind " + shown_rule(kind) +
                    ", which is not supported: a condition:// can say what it selects by, scripts "
                    "are not run");
  }
  const auto priority = priority_of(url);
  if (!priority) return tl::unexpected(priority.error());
  auto condition = condition_of(url);
  if (!condition) return tl::unexpected(condition.error());
  return UrlRule{
      .rule = std::make_shared<const UrlConditionRule>(url.service_key(), *std::move(condition)),
      .priority = *priority};
}

Result<RouterRulePtr> parse_script_rule(const std::string& key, std::string_view yaml) {
  bool is_on = true;
  const auto read = read_yaml_map(yaml, [&](const YamlFields& document) {
    is_on = document.boolean("enabled", true) && document.boolean("valid", true) &&
            document.has("script");
  });
  if (!read) return tl::unexpected(read.error());
  if (!is_on) return RouterRulePtr();
  return fail(ErrorCode::kUnsupported,
              key +
                  ": scripts are not run; a condition rule or a tag rule can say what it selects "
                  "by, set enabled: false until then");
}

}  // namespace skiff::governance
