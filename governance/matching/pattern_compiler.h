#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "dubbo/result.h"
#include "governance/matching/pattern.h"

namespace skiff::governance {

// The character at `position` (UTF-8), which moves behind it; U+FFFD for a byte that starts none.
char32_t next_character(std::string_view text, std::size_t& position);

// Turns the text of a regular expression into states. Jumps are relative, so the states of a part
// can be moved and repeated as they are.
class PatternCompiler {
 public:
  // What it builds refers to `sets`, which it fills.
  PatternCompiler(std::string_view text, std::vector<Pattern::CharacterSet>& sets)
      : text_(text), sets_(sets) {}

  Result<std::vector<Pattern::State>> compile();

 private:
  using States = std::vector<Pattern::State>;
  using Set = Pattern::CharacterSet;

  Result<States> alternatives(std::size_t depth);
  Result<States> sequence(std::size_t depth);
  Result<States> atom(std::size_t depth);
  Result<States> group(std::size_t depth);
  Result<States> repeated(States part);
  Result<States> counted(const States& part);
  Result<Set> character_class();
  Result<Set> class_item();
  Result<Set> escape();

  Result<States> starred(States part, bool at_least_once) const;
  Result<States> checked(States states) const;  // fails over Pattern::kMaxStates
  States one_of(Set set);
  Set literal(char32_t character) const;

  bool at_end() const { return position_ == text_.size(); }
  char peek() const { return at_end() ? '\0' : text_[position_]; }
  bool take(std::string_view expected);
  bool take_number(std::size_t& number);
  tl::unexpected<Error> malformed(const std::string& what) const;
  tl::unexpected<Error> unsupported(const std::string& what) const;

  std::string_view text_;
  std::vector<Set>& sets_;
  std::size_t position_ = 0;
  bool ignores_case_ = false;
};

}  // namespace skiff::governance
