#include "governance/matching/pattern.h"

#include <algorithm>
#include <array>
#include <bitset>
#include <span>

#include "governance/matching/pattern_compiler.h"

namespace skiff::governance {
namespace {

using Kind = Pattern::State::Kind;
using StateSet = std::bitset<Pattern::kMaxStates + 1>;

constexpr char32_t kInvalid = 0xFFFD;

// The states that the pattern may be in. Fixed memory: lives on the stack of matches().
class Walk {
 public:
  Walk(std::span<const Pattern::State> states, std::size_t subject_size)
      : states_(states), subject_size_(subject_size) {}

  // Adds `state` and all that can be reached from it without reading a character at `position`.
  void enter(std::size_t state, std::size_t position, StateSet& into) {
    std::size_t depth = 0;
    const auto push = [&](std::size_t next) {
      if (into.test(next)) return;
      into.set(next);
      stack_[depth++] = static_cast<std::uint16_t>(next);
    };
    push(state);
    while (depth > 0) {
      const std::size_t at = stack_[--depth];
      if (at == states_.size()) continue;
      const Pattern::State& one = states_[at];
      const bool may_pass = one.kind == Kind::kSplit ||
                            (one.kind == Kind::kBegin && position == 0) ||
                            (one.kind == Kind::kEnd && position == subject_size_);
      if (may_pass) push(at + 1);
      if (one.kind == Kind::kSplit || one.kind == Kind::kJump) {
        push(static_cast<std::size_t>(static_cast<std::ptrdiff_t>(at) + one.other));
      }
    }
  }

 private:
  std::span<const Pattern::State> states_;
  std::size_t subject_size_;
  // Each state is pushed at most once in a call of enter().
  std::array<std::uint16_t, Pattern::kMaxStates + 1> stack_{};
};

}  // namespace

char32_t next_character(std::string_view text, std::size_t& position) {
  const auto lead = static_cast<unsigned char>(text[position++]);
  if (lead < 0x80) return lead;
  const std::size_t more = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : lead >= 0xC0 ? 1 : 0;
  if (more == 0 || lead > 0xF7 || text.size() - position < more) return kInvalid;
  char32_t value = lead & (0x3FU >> more);
  for (std::size_t i = 0; i < more; ++i) {
    const auto byte = static_cast<unsigned char>(text[position + i]);
    if ((byte & 0xC0U) != 0x80U) return kInvalid;
    value = value << 6U | (byte & 0x3FU);
  }
  position += more;
  return value;
}

bool Pattern::CharacterSet::contains(char32_t character) const {
  const bool listed = std::ranges::any_of(ranges, [character](const auto& range) {
    return character >= range.first && character <= range.second;
  });
  return listed != negated;
}

Result<Pattern> Pattern::compile(std::string_view text) {
  Pattern pattern;
  PatternCompiler compiler(text, pattern.sets_);
  auto states = compiler.compile();
  if (!states) return tl::unexpected(states.error());
  pattern.states_ = *std::move(states);
  return pattern;
}

bool Pattern::matches(std::string_view subject) const {
  if (subject.size() > kMaxSubjectBytes) return false;
  Walk walk(states_, subject.size());
  StateSet current;
  walk.enter(0, 0, current);
  for (std::size_t position = 0; position < subject.size();) {
    const char32_t character = next_character(subject, position);
    StateSet next;
    for (std::size_t i = 0; i < states_.size(); ++i) {
      if (!current.test(i) || states_[i].kind != Kind::kCharacter) continue;
      if (sets_[states_[i].set].contains(character)) walk.enter(i + 1, position, next);
    }
    if (next.none()) return false;
    current = next;
  }
  return current.test(states_.size());
}

}  // namespace skiff::governance
