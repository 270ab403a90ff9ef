#include "governance/static_routes/regex.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

namespace skiff::governance {
namespace {

using Bytes = std::bitset<256>;

constexpr std::size_t kMaxCopies = 255;  // x{255}
constexpr unsigned kAscii = 0x80;
constexpr unsigned kFirstOfWide = 0xC0;

bool is_inside_character(unsigned char byte) { return (byte & 0xC0U) == 0x80U; }
bool is_alphanumeric(unsigned char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

void add_range(Bytes& bytes, unsigned from, unsigned to) {
  for (unsigned c = from; c <= to; ++c) bytes.set(c);
}

unsigned lowest(const Bytes& bytes) {
  unsigned c = 0;
  while (c < bytes.size() && !bytes.test(c)) ++c;
  return c;
}

// What a class escape ("d" of \d) stands for among ASCII; nullopt where it is none.
std::optional<Bytes> class_of(char escape) {
  Bytes bytes;
  switch (escape) {
    case 'd':
      add_range(bytes, '0', '9');
      return bytes;
    case 'w':
      for (unsigned c = 0; c < kAscii; ++c) {
        if (is_alphanumeric(static_cast<unsigned char>(c)) || c == '_') bytes.set(c);
      }
      return bytes;
    case 's':
      for (const char c : {' ', '\t', '\n', '\r', '\f', '\v'}) {
        bytes.set(static_cast<unsigned char>(c));
      }
      return bytes;
    default:
      return std::nullopt;
  }
}

}  // namespace

// Builds the automaton while it reads the pattern. After a failure what it returns means nothing.
class RegexCompiler {
 public:
  explicit RegexCompiler(std::string_view pattern) : text_(pattern) {
    if (text_.starts_with('^')) at_ = 1;
    if (ends_with_bare_dollar()) text_.remove_suffix(1);
  }

  Result<Regex> compile(std::string_view pattern) {
    const Part whole = read_alternatives();
    if (!failure_ && at_ < text_.size()) stop(ErrorCode::kMalformed, "a ) without its (");
    if (failure_) return tl::unexpected<Error>(std::move(*failure_));
    regex_.pattern_ = pattern;
    regex_.first_ = whole.first;
    regex_.last_ = whole.last;
    regex_.matches_empty_ = whole.may_be_empty;
    return std::move(regex_);
  }

 private:
  struct Part {
    bool may_be_empty = true;
    PositionSet first;
    PositionSet last;
  };
  struct Class {
    Bytes bytes;
    bool is_any_wide = false;
  };
  struct Times {
    std::size_t min = 1;
    std::size_t max = 1;
    bool is_open = false;  // no max
  };

  bool ends_with_bare_dollar() const {
    if (!text_.ends_with('$')) return false;
    const std::size_t before = text_.size() - 1;
    std::size_t backslashes = 0;
    while (backslashes < before && text_[before - 1 - backslashes] == '\\') ++backslashes;
    return backslashes % 2 == 0;
  }

  bool more() const { return !failure_ && at_ < text_.size(); }
  char peek() const { return text_[at_]; }
  bool take(char c) {
    if (!more() || peek() != c) return false;
    ++at_;
    return true;
  }
  bool take(std::string_view word) {
    if (!more() || !text_.substr(at_).starts_with(word)) return false;
    at_ += word.size();
    return true;
  }
  void stop(ErrorCode code, std::string sentence) {
    if (!failure_) failure_ = Error{code, std::move(sentence)};
  }

  Part read_alternatives() {
    if (++depth_ > kMaxRegexDepth) {
      stop(ErrorCode::kTooLarge, "groups deeper than " + std::to_string(kMaxRegexDepth));
    }
    Part all = read_sequence();
    while (take('|')) {
      const Part other = read_sequence();
      all.may_be_empty = all.may_be_empty || other.may_be_empty;
      all.first |= other.first;
      all.last |= other.last;
    }
    --depth_;
    return all;
  }

  Part read_sequence() {
    Part all;
    while (more() && peek() != '|' && peek() != ')') all = joined(all, read_repeated());
    return all;
  }

  // One thing with what says how often. It is read again for each further copy.
  Part read_repeated() {
    const std::size_t begin = at_;
    Part all = read_one();
    const Times times = read_times();
    const std::size_t end = at_;
    if (times.is_open && times.max == 1) loop(all);
    for (std::size_t copy = 2; copy <= times.max && !failure_; ++copy) {
      at_ = begin;
      Part next = read_one();
      if (times.is_open && copy == times.max) loop(next);
      if (copy > times.min) next.may_be_empty = true;
      all = joined(all, next);
    }
    at_ = end;
    if (times.min == 0) all.may_be_empty = true;
    return times.max == 0 ? Part() : all;
  }

  Times read_times() {
    Times times;
    if (take('*')) {
      times = {.min = 0, .max = 1, .is_open = true};
    } else if (take('+')) {
      times = {.min = 1, .max = 1, .is_open = true};
    } else if (take('?')) {
      times = {.min = 0, .max = 1, .is_open = false};
    } else if (take('{')) {
      times = read_braces();
    } else {
      return times;
    }
    take('?');  // as few as possible: of a whole text it is all the same
    if (more() && (peek() == '*' || peek() == '+' || peek() == '?' || peek() == '{')) {
      stop(ErrorCode::kUnsupported, "two repetitions in a row");
    }
    return times;
  }

  Times read_braces() {
    Times times;
    times.min = times.max = read_number();
    if (take(',')) {
      times.is_open = more() && peek() == '}';
      times.max = times.is_open ? std::max<std::size_t>(times.min, 1) : read_number();
    }
    if (!take('}') || times.min > times.max + (times.is_open ? 1 : 0) || times.max > kMaxCopies) {
      stop(ErrorCode::kMalformed,
           "expected {m}, {m,} or {m,n}, m not over n, at most " + std::to_string(kMaxCopies));
    }
    return times;
  }

  std::size_t read_number() {
    std::size_t number = kMaxCopies + 1;
    const char* begin = text_.data() + at_;
    const auto [end, error] = std::from_chars(begin, text_.data() + text_.size(), number);
    at_ += static_cast<std::size_t>(end - begin);
    return error == std::errc() ? number : kMaxCopies + 1;
  }

  Part read_one() {
    if (++steps_ > kMaxRegexSteps) stop(ErrorCode::kTooLarge, "repetitions of repetitions");
    if (!more()) {
      stop(ErrorCode::kMalformed, "it ends too early");
      return {};
    }
    if (take('(')) return read_group();
    if (take('[')) return position(read_class());
    if (take('.')) return position(complement(Class()));
    if (take('\\')) return position(read_escape());
    if (std::string_view("*+?{^$").find(peek()) != std::string_view::npos) {
      stop(ErrorCode::kMalformed, std::string("a ") + peek() + " where it means nothing");
      return {};
    }
    return read_character();
  }

  Part read_group() {
    if (take('?') && !take(':')) {
      stop(ErrorCode::kUnsupported, "(? that is not (?:");
    }
    Part inner = failure_ ? Part() : read_alternatives();
    if (!take(')')) stop(ErrorCode::kMalformed, "a ( without its )");
    return inner;
  }

  // All bytes of one character are one thing: "é+" repeats it as a whole.
  Part read_character() {
    Part all;
    do {
      Class one;
      one.bytes.set(static_cast<unsigned char>(text_[at_++]));
      all = joined(all, position(one));
    } while (more() && is_inside_character(static_cast<unsigned char>(peek())));
    return all;
  }

  // Behind the backslash.
  Class read_escape() {
    if (!more()) {
      stop(ErrorCode::kMalformed, "a \\ at the end");
      return {};
    }
    const char c = text_[at_++];
    if (const auto bytes = class_of(c)) return {.bytes = *bytes, .is_any_wide = false};
    if (const auto bytes = class_of(static_cast<char>(c | 0x20)); bytes && c >= 'A' && c <= 'Z') {
      return complement({.bytes = *bytes, .is_any_wide = false});
    }
    Class one;
    if (c == 't' || c == 'n' || c == 'r') {
      one.bytes.set(static_cast<unsigned char>(c == 't' ? '\t' : c == 'n' ? '\n' : '\r'));
    } else if (is_alphanumeric(static_cast<unsigned char>(c)) ||
               static_cast<unsigned char>(c) >= kAscii) {
      stop(ErrorCode::kUnsupported, std::string("the escape \\") + c);
    } else {
      one.bytes.set(static_cast<unsigned char>(c));
    }
    return one;
  }

  // Behind the bracket.
  Class read_class() {
    const bool is_negated = take('^');
    Class all;
    bool is_first = true;
    while (more() && (peek() != ']' || is_first)) {
      is_first = false;
      read_member(all);
    }
    if (!take(']')) stop(ErrorCode::kMalformed, "a [ without its ]");
    return is_negated ? complement(all) : all;
  }

  void read_member(Class& all) {
    const Class from = read_class_character();
    const bool is_range = text_.substr(at_).starts_with('-') && at_ + 1 < text_.size() &&
                          text_[at_ + 1] != ']' && from.bytes.count() == 1;
    if (!is_range) {
      all.bytes |= from.bytes;
      all.is_any_wide = all.is_any_wide || from.is_any_wide;
      return;
    }
    ++at_;
    const Class to = read_class_character();
    if (to.bytes.count() != 1 || lowest(from.bytes) > lowest(to.bytes)) {
      return stop(ErrorCode::kMalformed, "a range in [] whose ends are none");
    }
    add_range(all.bytes, lowest(from.bytes), lowest(to.bytes));
  }

  Class read_class_character() {
    Class one;
    if (!more()) return one;
    if (take('\\')) return read_escape();
    const auto c = static_cast<unsigned char>(text_[at_++]);
    if (c >= kAscii || c == '[' || (c == '&' && take('&'))) {
      stop(ErrorCode::kUnsupported, "in [] only ASCII, and no [ or && (write \\[)");
    }
    one.bytes.set(c);
    return one;
  }

  static Class complement(const Class& members) {
    Class other{.bytes = ~members.bytes, .is_any_wide = !members.is_any_wide};
    for (unsigned c = kAscii; c < kFirstOfWide; ++c) other.bytes.reset(c);
    return other;
  }

  Part position(const Class& compared) {
    Part part;
    if (failure_) return part;
    const std::size_t index = regex_.positions_.size();
    if (index == kMaxRegexPositions) {
      stop(ErrorCode::kTooLarge,
           "it compares more than " + std::to_string(kMaxRegexPositions) + " characters");
      return part;
    }
    regex_.positions_.push_back(
        {.bytes = compared.bytes, .is_any_wide = compared.is_any_wide, .follow = {}});
    part.may_be_empty = false;
    part.first.add(index);
    part.last.add(index);
    return part;
  }

  void link(const PositionSet& from, const PositionSet& to) {
    from.for_each([&](std::size_t i) { regex_.positions_[i].follow |= to; });
  }
  void loop(const Part& part) { link(part.last, part.first); }

  Part joined(const Part& a, const Part& b) {
    link(a.last, b.first);
    Part all{.may_be_empty = a.may_be_empty && b.may_be_empty, .first = a.first, .last = b.last};
    if (a.may_be_empty) all.first |= b.first;
    if (b.may_be_empty) all.last |= a.last;
    return all;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t depth_ = 0;
  std::size_t steps_ = 0;
  std::optional<Error> failure_;
  Regex regex_;
};

Result<Regex> Regex::compile(std::string_view pattern) {
  if (pattern.size() > kMaxRegexBytes) {
    return fail(ErrorCode::kTooLarge, "a regular expression of " + std::to_string(pattern.size()) +
                                          " bytes: the limit is " + std::to_string(kMaxRegexBytes));
  }
  auto regex = RegexCompiler(pattern).compile(pattern);
  if (!regex) {
    return fail(regex.error().code, "the regular expression '" + std::string(pattern) +
                                        "' cannot be read: " + regex.error().message);
  }
  return regex;
}

bool Regex::matches(std::string_view text) const {
  if (text.empty()) return matches_empty_;
  if (text.size() > kMaxRegexTextBytes) return false;
  PositionSet active;
  PositionSet candidates = first_;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    PositionSet next;
    bool is_dead = true;
    const auto enter = [&](std::size_t i) {
      next.add(i);
      is_dead = false;
    };
    candidates.for_each([&](std::size_t i) {
      if (positions_[i].bytes.test(byte)) enter(i);
    });
    if (is_inside_character(byte)) {
      active.for_each([&](std::size_t i) {
        if (positions_[i].is_any_wide) enter(i);
      });
    }
    if (is_dead) return false;
    active = next;
    candidates = {};
    active.for_each([&](std::size_t i) { candidates |= positions_[i].follow; });
  }
  return active.intersects(last_);
}

}  // namespace skiff::governance
