#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "dubbo/text.h"

namespace skiff::dubbo {

// A cursor over one line of JSON as fastjson 1 writes it. Strict where it reads strings; values
// that are skipped need only be balanced. Nothing recurses; work is linear in the size of the line.
class FastjsonReader {
 public:
  explicit FastjsonReader(std::string_view line) : line_(line) {}

  std::size_t offset() const { return at_; }
  void skip_spaces();
  // The next character; '\0' at the end.
  char peek() const { return at_ < line_.size() ? line_[at_] : '\0'; }
  // Takes the next character if it is `c`, spaces before it as well.
  bool take(char c);
  bool take_null();

  // A string with its quotes; the text is in the line or, where it has escapes, in `arena`.
  bool read_text(std::string_view& text, TextArena& arena);
  bool skip_string();
  // Any value up to the ',', ':', '}' or ']' behind it.
  bool skip_value();

 private:
  // Where the string that begins at `at_` ends; npos where it does not.
  std::size_t closing_quote() const;

  std::string_view line_;
  std::size_t at_ = 0;
};

}  // namespace skiff::dubbo
