#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "dubbo/result.h"

namespace skiff::governance {

// A regular expression as rules write them: Java's syntax, as far as it can be matched without
// backtracking. Rules come from a registry and texts from requests, so neither may cost more than a
// product of their lengths: the states are walked side by side, and none is ever tried twice
// (std::regex recurses over the text, POSIX regexec tries back references one by one).
//
// Read are literals, '.', classes, \d \w \s \D \W \S, groups, '|', '*' '+' '?' '{m,n}', '^' '$',
// and
// (?i) in front, for ASCII letters. Refused with kUnsupported are back references, look-around,
// possessive quantifiers, \b, \p{..} and operations on classes.
class Pattern {
 public:
  static constexpr std::size_t kMaxBytes = 256;
  static constexpr std::size_t kMaxStates = 512;
  static constexpr std::size_t kMaxSubjectBytes = 1024;

  // Fails with kMalformed, kUnsupported or kTooLarge.
  static Result<Pattern> compile(std::string_view text);

  // True where it stands for the whole text, as Java's String.matches(). A text over
  // kMaxSubjectBytes is matched by none. Allocates nothing.
  bool matches(std::string_view subject) const;

  // What the compiler builds; of no use to callers.
  struct CharacterSet {
    std::vector<std::pair<char32_t, char32_t>> ranges;  // first and last
    bool negated = false;
    bool contains(char32_t character) const;
  };
  struct State {
    enum class Kind : std::uint8_t { kCharacter, kSplit, kJump, kBegin, kEnd };
    Kind kind = Kind::kCharacter;
    std::uint16_t set = 0;  // of kCharacter
    // Of kSplit and kJump: where else to go on, relative to this state.
    std::int16_t other = 0;
  };

 private:
  std::vector<State> states_;  // the state behind the last one is the end
  std::vector<CharacterSet> sets_;
};

}  // namespace skiff::governance
