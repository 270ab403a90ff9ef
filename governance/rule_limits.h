#pragma once

#include <cstddef>

// How much one rule may hold besides its bytes (kMaxRuleBytes and kMaxExpandedBytes in
// yaml_fields.h); one that holds more is refused with kTooLarge. Rules come from a registry: what
// they cost to compile, which grows with values times providers, is bounded by these.
namespace skiff::governance {

inline constexpr std::size_t kMaxRuleConditions = 1000;
inline constexpr std::size_t kMaxConditionDestinations = 64;  // of one condition
inline constexpr std::size_t kMaxRuleTags = 1000;
// Such as "10.0.*.*", or a parameter of a tag: looked at for each provider one by one.
inline constexpr std::size_t kMaxRuleExpressions = 256;
// Values and addresses to compare with, in all.
inline constexpr std::size_t kMaxRuleValues = 4096;

}  // namespace skiff::governance
