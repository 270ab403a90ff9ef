// Documents "<key>.condition-router": Dubbo's ListenableStateRouter and ConditionRuleParser.

#include <algorithm>
#include <cctype>
#include <utility>

#include "governance/condition/condition_router.h"
#include "governance/condition/condition_text.h"
#include "governance/router_rules.h"
#include "governance/rule_key.h"
#include "governance/rule_limits.h"
#include "governance/shown_rule.h"
#include "governance/yaml_fields.h"

namespace skiff::governance {
namespace {

constexpr std::string_view kSuffix = ".condition-router";
constexpr std::string_view kManyDestinations = "v3.1";
constexpr std::int64_t kDefaultDestinationWeight = 100;

using Conditions = std::vector<std::shared_ptr<const RoutingCondition>>;

class ConditionRule final : public RouterRule {
 public:
  ConditionRule(std::string_view key, Conditions conditions)
      : key_(key, kSuffix), conditions_(std::move(conditions)) {}

  void compile(const RuleScope& scope, Routers& out) const override {
    const bool concerns_scope = key_.is_service(scope) || key_.is_consumer_application(scope) ||
                                key_.is_provider_application(scope);
    if (!concerns_scope) return;
    for (const auto& condition : conditions_) out.push_back(compile_condition(condition, scope));
  }

 private:
  RuleKey key_;
  Conditions conditions_;
};

// Reads a document's conditions.
class ConditionReader {
 public:
  ConditionReader(const std::string& key, const YamlFields& document)
      : key_(key), document_(document), force_(document.boolean("force", false)) {}

  void read_texts() {
    const YAML::Node list = document_.node("conditions");
    if (!has_conditions(list)) return;
    for (std::size_t i = 0; i < list.size() && too_large_.empty(); ++i) {
      const std::string path = "conditions[" + std::to_string(i) + "]";
      if (!list[i].IsScalar()) {
        document_.add_error_at(list[i], path,
                               "expected a text (conditions with 'from' and 'to' need "
                               "configVersion: v3.1)");
        continue;
      }
      const std::string& text = list[i].Scalar();
      auto condition = parse_routing_condition(text);
      if (!condition) {
        document_.add_error_at(list[i], path, condition.error().message);
        continue;
      }
      add(*std::move(condition), list[i].Mark().line, shown_rule(text));
    }
  }

  void read_maps() {
    const YAML::Node list = document_.node("conditions");
    if (!has_conditions(list)) return;
    const std::vector<YamlFields> maps = document_.maps("conditions");
    for (std::size_t i = 0; i < maps.size() && too_large_.empty(); ++i) {
      read_map(maps[i], list[i].Mark().line);
    }
  }

  // Why the rule is refused as too large; empty where it is not.
  const std::string& too_large() const { return too_large_; }
  Conditions take() { return std::move(conditions_); }

 private:
  bool has_conditions(const YAML::Node& list) {
    if (!document_.has("conditions")) return false;
    if (!list.IsSequence()) {
      document_.add_error("conditions", "expected a list of conditions");
      return false;
    }
    return check_limit(list.size(), kMaxRuleConditions, "conditions");
  }

  void read_map(const YamlFields& map, int line) {
    RoutingCondition condition;
    std::string from = "all requests";
    if (const auto fields = map.map("from")) {
      if (const auto match = fields->optional_text("match")) {
        auto when = parse_when(*match);
        if (!when) return fields->add_error("match", when.error().message);
        condition.when = *std::move(when);
        if (!condition.when.empty()) from = shown_rule(*match);
      }
    }
    if (!read_destinations(map, condition)) return;
    const std::size_t count = condition.destinations.size();
    const std::string to = count == 0   ? "nowhere"
                           : count == 1 ? condition.destinations[0].detail
                                        : std::to_string(count) + " destinations";
    add(std::move(condition), line, from + " => " + to);
  }

  bool read_destinations(const YamlFields& map, RoutingCondition& condition) {
    const YAML::Node list = map.node("to");
    const std::size_t count = map.has("to") && list.IsSequence() ? list.size() : 0;
    if (!check_limit(count, kMaxConditionDestinations, "destinations of one condition"))
      return false;
    for (const YamlFields& fields : map.maps("to")) {
      const std::string match = fields.text("match");
      const std::int64_t weight =
          fields.integer("weight", kDefaultDestinationWeight, INT32_MIN, INT32_MAX);
      auto destination = parse_destination(
          match, static_cast<std::uint32_t>(weight > 0 ? weight : kDefaultDestinationWeight));
      if (!destination) {
        fields.add_error("match", destination.error().message);
        continue;
      }
      condition.destinations.push_back(*std::move(destination));
    }
    return true;
  }

  void add(RoutingCondition condition, int line, const std::string& shown) {
    values_ += count_values(condition);
    if (!check_limit(values_, kMaxRuleValues, "values to compare with")) return;
    condition.force = force_;
    condition.name = "condition rule " + key_ + ", line " + std::to_string(line + 1) + ": " + shown;
    conditions_.push_back(std::make_shared<const RoutingCondition>(std::move(condition)));
  }

  bool check_limit(std::size_t count, std::size_t limit, std::string_view of_what) {
    if (count <= limit) return true;
    too_large_ = "over " + std::to_string(limit) + " " + std::string(of_what) + ", the limit";
    return false;
  }

  const std::string& key_;
  const YamlFields& document_;
  bool force_;
  std::size_t values_ = 0;
  std::string too_large_;
  Conditions conditions_;
};

// "V3.1" and "v3.1" are the same.
std::string version_of(const YamlFields& document) {
  std::string version = document.text("configVersion");
  std::ranges::transform(version, version.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return version;
}

}  // namespace

Result<RouterRulePtr> parse_condition_rule(const std::string& key, std::string_view yaml) {
  Conditions conditions;
  std::string too_large;
  std::string unknown_version;
  const auto read = read_yaml_map(yaml, [&](const YamlFields& document) {
    const bool valid = document.boolean("valid", true);
    if (!document.boolean("enabled", true) || !valid) return;
    const std::string version = version_of(document);
    const bool many = version.starts_with(kManyDestinations);
    if (!many && version > kManyDestinations) {
      unknown_version = version;
      return;
    }
    ConditionReader reader(key, document);
    many ? reader.read_maps() : reader.read_texts();
    too_large = reader.too_large();
    conditions = reader.take();
  });
  if (!too_large.empty()) return fail(ErrorCode::kTooLarge, too_large);
  if (!read) return tl::unexpected(read.error());
  if (!unknown_version.empty()) {
    return fail(ErrorCode::kUnsupported, "configVersion " + shown_rule(unknown_version) +
                                             ": condition rules are read up to v3.1");
  }
  if (conditions.empty()) return RouterRulePtr();
  return std::make_shared<const ConditionRule>(key, std::move(conditions));
}

}  // namespace skiff::governance
