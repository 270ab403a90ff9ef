#include "governance/condition/value_pattern.h"

#include <algorithm>
#include <charconv>

namespace skiff::governance {
namespace {

bool is_number(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

// 0 for what is no number; nullopt for one that has no place in 64 bits.
std::optional<std::uint64_t> number_in(std::string_view text) {
  if (!is_number(text)) return 0;
  std::uint64_t number = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), number);
  if (result.ec != std::errc()) return std::nullopt;
  return number;
}

}  // namespace

ValuePattern::ValuePattern(std::string_view text) {
  if (text.find('~') != std::string_view::npos) {
    read_range(text);
    return;
  }
  const auto star = text.rfind('*');
  prefix_ = text.substr(0, star);
  if (star == std::string_view::npos) return;
  kind_ = Kind::kWildcard;
  suffix_ = text.substr(star + 1);
}

void ValuePattern::read_range(std::string_view text) {
  const auto first = text.find('~');
  const std::string_view least = text.substr(0, first);
  std::string_view most = text.substr(first + 1);
  most = most.substr(0, most.find('~'));
  const auto lowest = number_in(least);
  const auto highest = most.empty() ? UINT64_MAX : number_in(most);
  const bool is_range = lowest && highest && !(least.empty() && most.empty());
  kind_ = is_range ? Kind::kRange : Kind::kBrokenRange;
  if (!is_range) return;
  least_ = *lowest;
  most_ = *highest;
}

bool ValuePattern::matches(std::string_view value, ConditionSide side) const {
  switch (kind_) {
    case Kind::kExact:
      return value == prefix_;
    case Kind::kWildcard:
      // "*" alone also stands for an empty value. Prefix and suffix may overlap, as in Dubbo.
      if (value.empty()) return prefix_.empty() && suffix_.empty();
      return value.starts_with(prefix_) && value.ends_with(suffix_);
    case Kind::kRange: {
      const std::uint64_t number = number_in(value).value_or(UINT64_MAX);
      return number >= least_ && number <= most_;
    }
    case Kind::kBrokenRange:
      break;
  }
  return side == ConditionSide::kThen;
}

std::optional<std::string_view> ValuePattern::only_text() const {
  if (kind_ != Kind::kExact) return std::nullopt;
  return prefix_;
}

std::optional<std::string_view> ValuePattern::reference() const {
  if (kind_ != Kind::kExact || !prefix_.starts_with('$')) return std::nullopt;
  return std::string_view(prefix_).substr(1);
}

ValuePattern ValuePattern::of_reference(std::optional<std::string_view> value) {
  // An empty pattern matches an empty value only. What a reference stands for is no range.
  const std::string_view text = value.value_or(std::string_view());
  ValuePattern pattern{std::string_view()};
  if (text.find('~') == std::string_view::npos) return ValuePattern(text);
  pattern.prefix_ = text;
  return pattern;
}

}  // namespace skiff::governance
