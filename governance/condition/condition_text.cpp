#include "governance/condition/condition_text.h"

#include <utility>

#include "governance/shown_rule.h"

namespace skiff::governance {
namespace {

constexpr std::string_view kSpaces = " \t\n\v\f\r";
constexpr std::string_view kArrow = "=>";

std::string_view trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(kSpaces);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpaces) - begin + 1);
}

}  // namespace

Result<KeyConditions> parse_when(std::string_view match) {
  const std::string_view text = trimmed(match);
  if (text.empty() || text == "true") return KeyConditions();
  return parse_key_conditions(text, ConditionSide::kWhen);
}

Result<RoutingCondition> parse_routing_condition(std::string_view text) {
  if (trimmed(text).empty())
    return fail(ErrorCode::kMalformed, "expected a condition, came nothing");
  const auto arrow = text.find(kArrow);
  const bool has_arrow = arrow != std::string_view::npos;
  auto when = parse_when(has_arrow ? text.substr(0, arrow) : std::string_view());
  if (!when) return tl::unexpected(when.error());
  RoutingCondition condition;
  condition.when = *std::move(when);

  const std::string_view then = trimmed(has_arrow ? text.substr(arrow + kArrow.size()) : text);
  if (then.empty() || then == "false") return condition;
  auto conditions = parse_key_conditions(then, ConditionSide::kThen);
  if (!conditions) return tl::unexpected(conditions.error());
  condition.destinations.push_back({.then = *std::move(conditions), .detail = {}});
  return condition;
}

Result<RoutingCondition::Destination> parse_destination(std::string_view match,
                                                        std::uint32_t weight) {
  RoutingCondition::Destination destination;
  const std::string_view text = trimmed(match);
  destination.weight = weight;
  destination.takes_all = text.empty() || text == "false";
  if (!destination.takes_all) {
    auto then = parse_key_conditions(text, ConditionSide::kThen);
    if (!then) return tl::unexpected(then.error());
    destination.then = *std::move(then);
    // Separators and nothing else.
    destination.takes_all = destination.then.empty();
  }
  destination.detail = destination.takes_all ? "all providers" : shown_rule(text);
  destination.detail += ", weight " + std::to_string(weight);
  return destination;
}

std::size_t count_values(const RoutingCondition& condition) {
  std::size_t sum = count_values(condition.when);
  for (const auto& destination : condition.destinations) sum += count_values(destination.then);
  return sum;
}

}  // namespace skiff::governance
