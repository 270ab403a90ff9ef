#include "governance/matching/pattern_compiler.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace skiff::governance {
namespace {

using State = Pattern::State;
using Kind = State::Kind;
using Set = Pattern::CharacterSet;

constexpr std::size_t kMaxDepth = 32;

State to(Kind kind, std::size_t distance, bool backwards = false) {
  const auto offset = static_cast<std::int16_t>(distance);
  return {.kind = kind, .set = 0, .other = static_cast<std::int16_t>(backwards ? -offset : offset)};
}

void append(std::vector<State>& states, const std::vector<State>& more) {
  states.insert(states.end(), more.begin(), more.end());
}

// \d, \w, \s and their opposites; no ranges where `letter` is none of them.
Set shorthand(char letter) {
  Set set;
  switch (letter) {
    case 'd':
    case 'D':
      set.ranges = {{U'0', U'9'}};
      break;
    case 'w':
    case 'W':
      set.ranges = {{U'0', U'9'}, {U'A', U'Z'}, {U'_', U'_'}, {U'a', U'z'}};
      break;
    case 's':
    case 'S':
      set.ranges = {{U' ', U' '}, {U'\t', U'\r'}};
      break;
    default:
      break;
  }
  set.negated = letter == 'D' || letter == 'W' || letter == 'S';
  return set;
}

char control_character(char letter) {
  switch (letter) {
    case 't':
      return '\t';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 'f':
      return '\f';
    default:
      return '\0';
  }
}

bool is_letter_or_digit(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

}  // namespace

Result<std::vector<State>> PatternCompiler::compile() {
  if (text_.size() > Pattern::kMaxBytes) {
    return fail(ErrorCode::kTooLarge, "regular expression of " + std::to_string(text_.size()) +
                                          " bytes, the limit is " +
                                          std::to_string(Pattern::kMaxBytes));
  }
  ignores_case_ = take("(?i)");
  auto states = alternatives(0);
  if (states && !at_end()) return malformed("')' that closes nothing");
  return states;
}

Result<PatternCompiler::States> PatternCompiler::alternatives(std::size_t depth) {
  if (depth > kMaxDepth) {
    return fail(ErrorCode::kTooLarge, "regular expression with groups nested over " +
                                          std::to_string(kMaxDepth) + " deep");
  }
  std::vector<States> parts;
  do {
    auto part = sequence(depth);
    if (!part) return part;
    parts.push_back(*std::move(part));
  } while (take("|"));
  States states = std::move(parts.back());
  for (std::size_t i = parts.size() - 1; i-- > 0;) {
    States both = {to(Kind::kSplit, parts[i].size() + 2)};
    append(both, parts[i]);
    both.push_back(to(Kind::kJump, states.size() + 1));
    append(both, states);
    auto small_enough = checked(std::move(both));
    if (!small_enough) return small_enough;
    states = *std::move(small_enough);
  }
  return states;
}

Result<PatternCompiler::States> PatternCompiler::sequence(std::size_t depth) {
  States states;
  while (!at_end() && peek() != '|' && peek() != ')') {
    auto part = atom(depth);
    if (part) part = repeated(*std::move(part));
    if (!part) return part;
    append(states, *part);
    if (states.size() > Pattern::kMaxStates) return checked(std::move(states));
  }
  return states;
}

Result<PatternCompiler::States> PatternCompiler::atom(std::size_t depth) {
  if (take("(")) return group(depth);
  if (take("^")) return States{to(Kind::kBegin, 0)};
  if (take("$")) return States{to(Kind::kEnd, 0)};
  if (take(".")) return one_of(Set{.ranges = {{U'\n', U'\n'}, {U'\r', U'\r'}}, .negated = true});
  if (peek() == '*' || peek() == '+' || peek() == '?' || peek() == '{') {
    return malformed("nothing before it to repeat");
  }
  auto set = peek() == '[' ? character_class() : peek() == '\\' ? escape() : Result<Set>();
  if (!set) return tl::unexpected(set.error());
  if (set->ranges.empty() && !set->negated) set = literal(next_character(text_, position_));
  return one_of(*std::move(set));
}

Result<PatternCompiler::States> PatternCompiler::group(std::size_t depth) {
  if (take("?")) {
    const bool named =
        peek() == '<' && text_.substr(position_, 2) != "<=" && text_.substr(position_, 2) != "<!";
    if (named) {
      position_ = std::min(text_.find('>', position_), text_.size() - 1) + 1;
    } else if (!take(":")) {
      return unsupported("a group that starts with '(?'");
    }
  }
  auto states = alternatives(depth + 1);
  if (states && !take(")")) return malformed("')' is missing");
  return states;
}

Result<PatternCompiler::States> PatternCompiler::repeated(States part) {
  Result<States> states = std::move(part);
  if (take("*")) {
    states = starred(*std::move(states), false);
  } else if (take("+")) {
    states = starred(*std::move(states), true);
  } else if (take("?")) {
    states->insert(states->begin(), to(Kind::kSplit, states->size() + 1));
    states = checked(*std::move(states));
  } else if (take("{")) {
    states = counted(*states);
  } else {
    return states;
  }
  if (!states) return states;
  take("?");  // lazy or not makes no difference to a match of the whole text
  if (peek() == '+') return unsupported("a possessive quantifier");
  return states;
}

Result<PatternCompiler::States> PatternCompiler::starred(States part, bool at_least_once) const {
  const std::size_t size = part.size();
  if (at_least_once) {
    part.push_back(to(Kind::kSplit, size, true));
  } else {
    part.insert(part.begin(), to(Kind::kSplit, size + 2));
    part.push_back(to(Kind::kJump, size + 1, true));
  }
  return checked(std::move(part));
}

Result<PatternCompiler::States> PatternCompiler::counted(const States& part) {
  std::size_t least = 0;
  if (!take_number(least)) return malformed("expected a number behind '{'");
  std::size_t most = least;
  bool endless = false;
  if (take(",")) endless = !take_number(most);
  if (!take("}")) return malformed("'}' is missing");
  if (most < least && !endless) return malformed("the larger number stands first");
  if (std::max(least, most) > Pattern::kMaxStates) {
    return malformed("more repetitions than " + std::to_string(Pattern::kMaxStates));
  }
  States states;
  const std::size_t copies = endless ? least : most;
  for (std::size_t i = 0; i < copies && states.size() <= Pattern::kMaxStates; ++i) {
    if (i >= least) states.push_back(to(Kind::kSplit, part.size() + 1));
    append(states, part);
  }
  if (endless) {
    auto rest = starred(part, false);
    if (!rest) return rest;
    append(states, *rest);
  }
  return checked(std::move(states));
}

Result<Set> PatternCompiler::character_class() {
  ++position_;  // the bracket
  Set set;
  set.negated = take("^");
  bool first = true;
  while (first || peek() != ']') {
    if (at_end()) return malformed("']' is missing");
    if (peek() == '[' || text_.substr(position_, 2) == "&&")
      return unsupported("a class in a class");
    auto item = class_item();
    if (!item) return item;
    set.ranges.insert(set.ranges.end(), item->ranges.begin(), item->ranges.end());
    first = false;
  }
  ++position_;
  return set;
}

Result<Set> PatternCompiler::class_item() {
  const auto one = [this]() -> Result<Set> {
    if (peek() == '\\') return escape();
    return literal(next_character(text_, position_));
  };
  auto item = one();
  if (!item) return item;
  if (item->negated) return unsupported("\\D, \\W or \\S in a class");
  const bool is_range = item->ranges.front().first == item->ranges.front().second &&
                        peek() == '-' && position_ + 1 < text_.size() &&
                        text_[position_ + 1] != ']';
  if (!is_range) return item;
  ++position_;  // the hyphen
  const auto last = one();
  if (!last) return last;
  const char32_t from = item->ranges.front().first;
  const char32_t until = last->ranges.front().first;
  if (last->negated || last->ranges.front().second != until || until < from) {
    return malformed("a range of characters whose end is none");
  }
  Set range{.ranges = {{from, until}}};
  if (ignores_case_) {
    for (char32_t c = std::max(from, U'A'); c <= std::min(until, U'z'); ++c) {
      const Set both = literal(c);
      range.ranges.insert(range.ranges.end(), both.ranges.begin(), both.ranges.end());
    }
  }
  return range;
}

Result<Set> PatternCompiler::escape() {
  ++position_;  // the backslash
  if (at_end()) return malformed("a backslash at its end");
  const char letter = peek();
  if (Set set = shorthand(letter); !set.ranges.empty()) {
    ++position_;
    return set;
  }
  if (const char control = control_character(letter); control != '\0') {
    ++position_;
    return literal(static_cast<char32_t>(control));
  }
  if (is_letter_or_digit(letter)) return unsupported(std::string("\\") + letter);
  return literal(next_character(text_, position_));
}

Result<PatternCompiler::States> PatternCompiler::checked(States states) const {
  if (states.size() <= Pattern::kMaxStates) return states;
  return fail(ErrorCode::kTooLarge, "regular expression '" + std::string(text_) + "' of over " +
                                        std::to_string(Pattern::kMaxStates) + " states");
}

PatternCompiler::States PatternCompiler::one_of(Set set) {
  sets_.push_back(std::move(set));
  return {State{.set = static_cast<std::uint16_t>(sets_.size() - 1)}};
}

Set PatternCompiler::literal(char32_t character) const {
  Set set{.ranges = {{character, character}}};
  const bool is_lower = character >= U'a' && character <= U'z';
  const bool is_upper = character >= U'A' && character <= U'Z';
  if (ignores_case_ && (is_lower || is_upper)) {
    const char32_t other = is_lower ? character - 32 : character + 32;
    set.ranges.emplace_back(other, other);
  }
  return set;
}

bool PatternCompiler::take(std::string_view expected) {
  if (!text_.substr(position_).starts_with(expected)) return false;
  position_ += expected.size();
  return true;
}

bool PatternCompiler::take_number(std::size_t& number) {
  const char* begin = text_.data() + position_;
  const auto [end, problem] = std::from_chars(begin, text_.data() + text_.size(), number);
  if (problem != std::errc() || end == begin) return false;
  position_ += static_cast<std::size_t>(end - begin);
  return true;
}

tl::unexpected<Error> PatternCompiler::malformed(const std::string& what) const {
  return fail(ErrorCode::kMalformed, "regular expression '" + std::string(text_) + "', character " +
                                         std::to_string(position_ + 1) + ": " + what);
}

tl::unexpected<Error> PatternCompiler::unsupported(const std::string& what) const {
  return fail(ErrorCode::kUnsupported, "regular expression '" + std::string(text_) +
                                           "', character " + std::to_string(position_ + 1) + ": " +
                                           what + " is not supported");
}

}  // namespace skiff::governance
