#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace skiff::governance {

// Which side of "=>" a condition stands on: the left one looks at the consumer and its request, the
// right one at providers.
enum class ConditionSide : std::uint8_t { kWhen, kThen };

// One value behind "=" or "!=" of a condition, as Dubbo's wildcard and range patterns read it:
// "hello", "hel*", "*llo", "h*o", "*", "1~100", "~100", "1~". Of several '*' the last one is the
// wildcard. Immutable.
class ValuePattern {
 public:
  explicit ValuePattern(std::string_view text);

  // In a range a value that is no number counts as 0. A range that is none ("~", or numbers out of
  // 64 bits) holds on the right side and not on the left.
  bool matches(std::string_view value, ConditionSide side) const;

  // Where it matches one text and nothing else. Of the pattern.
  std::optional<std::string_view> only_text() const;

  // "$region" on the right side stands for the consumer's region; nullopt where it is none.
  std::optional<std::string_view> reference() const;
  // What a reference stands for; nullopt: the consumer has no such parameter.
  static ValuePattern of_reference(std::optional<std::string_view> value);

 private:
  enum class Kind : std::uint8_t { kExact, kWildcard, kRange, kBrokenRange };

  void read_range(std::string_view text);

  Kind kind_ = Kind::kExact;
  std::string prefix_;  // the whole text where it has no wildcard
  std::string suffix_;
  std::uint64_t least_ = 0;
  std::uint64_t most_ = UINT64_MAX;
};

}  // namespace skiff::governance
