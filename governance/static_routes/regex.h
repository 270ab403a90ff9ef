#pragma once

#include <array>
#include <bit>
#include <bitset>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "dubbo/result.h"
#include "governance/static_routes/limits.h"

namespace skiff::governance {

// Some positions of a regular expression.
class PositionSet {
 public:
  void add(std::size_t i) { words_[i / kBits] |= std::uint64_t{1} << (i % kBits); }
  void remove(std::size_t i) { words_[i / kBits] &= ~(std::uint64_t{1} << (i % kBits)); }
  bool contains(std::size_t i) const { return (words_[i / kBits] >> (i % kBits) & 1U) != 0; }
  bool intersects(const PositionSet& other) const {
    std::uint64_t common = 0;
    for (std::size_t i = 0; i < words_.size(); ++i) common |= words_[i] & other.words_[i];
    return common != 0;
  }
  PositionSet& operator|=(const PositionSet& other) {
    for (std::size_t i = 0; i < words_.size(); ++i) words_[i] |= other.words_[i];
    return *this;
  }
  template <typename Visit>
  void for_each(Visit visit) const {
    for (std::size_t w = 0; w < words_.size(); ++w) {
      for (std::uint64_t word = words_[w]; word != 0; word &= word - 1) {
        visit(w * kBits + static_cast<std::size_t>(std::countr_zero(word)));
      }
    }
  }

 private:
  static constexpr std::size_t kBits = 64;
  std::array<std::uint64_t, kMaxRegexPositions / kBits> words_{};
};

// A regular expression that a whole text must match. Its positions are an automaton that is walked
// without going back (Glushkov's): time is bounded by the limits, whatever the pattern, and nothing
// is allocated. Immutable: any thread may call.
//
// Read are the things that all dialects share: | * + ? {m,n} () (?:) [] [^] . and the escapes \d \w
// \s \D \W \S \t \n \r and those of punctuation; ^ and $ at the ends, where they say nothing new.
// A dot or a negated class is one character of UTF-8. What else there is (references, look-around,
// flags) is refused by name.
class Regex {
 public:
  // Fails with kMalformed, kUnsupported or kTooLarge.
  static Result<Regex> compile(std::string_view pattern);

  bool matches(std::string_view text) const;
  const std::string& pattern() const { return pattern_; }
  bool operator==(const Regex& other) const { return pattern_ == other.pattern_; }

 private:
  friend class RegexCompiler;
  // What one position compares a byte with.
  struct Position {
    std::bitset<256> bytes;
    bool is_any_wide = false;  // also any character that is not ASCII: the bytes behind its first
    PositionSet follow;        // where the next byte may be
  };

  std::string pattern_;
  std::vector<Position> positions_;
  PositionSet first_;
  PositionSet last_;
  bool matches_empty_ = false;
};

}  // namespace skiff::governance
