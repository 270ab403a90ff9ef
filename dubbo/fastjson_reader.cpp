#include "dubbo/fastjson_reader.h"

#include <charconv>
#include <cstdint>

namespace skiff::dubbo {
namespace {

// Escapes of one letter, and what they stand for.
constexpr std::string_view kEscapeLetters = "bfnrtv";
constexpr std::string_view kEscapeMeanings = "\b\f\n\r\t\v";

constexpr bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

// The four hex digits behind "\u"; false where there are fewer.
bool read_code_unit(std::string_view escaped, std::size_t at, std::uint32_t& unit) {
  if (at > escaped.size() || escaped.size() - at < 4) return false;
  const char* const begin = escaped.data() + at;
  const auto [end, error] = std::from_chars(begin, begin + 4, unit, 16);
  return error == std::errc{} && end == begin + 4;
}

// The escape that begins at `at`, which moves behind it.
bool append_escape(std::string_view escaped, std::size_t& at, std::string& out) {
  if (escaped.size() - at < 2) return false;
  const char kind = escaped[at + 1];
  if (kind != 'u') {
    const auto i = kEscapeLetters.find(kind);
    if (i == std::string_view::npos && kind != '"' && kind != '\\' && kind != '/' && kind != '\'') {
      return false;
    }
    out += i == std::string_view::npos ? kind : kEscapeMeanings[i];
    at += 2;
    return true;
  }
  std::uint32_t c = 0;
  if (!read_code_unit(escaped, at + 2, c)) return false;
  at += 6;
  std::uint32_t low = 0;
  const bool is_pair = c >= 0xd800 && c < 0xdc00 && escaped.substr(at, 2) == "\\u" &&
                       read_code_unit(escaped, at + 2, low) && low >= 0xdc00 && low < 0xe000;
  if (is_pair) {
    c = 0x10000 + ((c - 0xd800) << 10U) + (low - 0xdc00);
    at += 6;
  }
  append_utf8(c, out);
  return true;
}

bool unescape(std::string_view escaped, std::string& out) {
  std::size_t at = 0;
  while (at < escaped.size()) {
    if (escaped[at] == '\\') {
      if (!append_escape(escaped, at, out)) return false;
      continue;
    }
    std::string_view rest = escaped.substr(at);
    append_utf8(take_character(rest), out);
    at = escaped.size() - rest.size();
  }
  return true;
}

}  // namespace

void FastjsonReader::skip_spaces() {
  while (at_ < line_.size() && is_space(line_[at_])) ++at_;
}

bool FastjsonReader::take(char c) {
  skip_spaces();
  if (at_ == line_.size() || line_[at_] != c) return false;
  ++at_;
  return true;
}

bool FastjsonReader::take_null() {
  skip_spaces();
  if (!line_.substr(at_).starts_with("null")) return false;
  at_ += 4;
  return true;
}

std::size_t FastjsonReader::closing_quote() const {
  std::size_t at = at_ + 1;
  const std::size_t quote = line_.find('"', at);
  if (quote == std::string_view::npos) return quote;
  if (line_.substr(at, quote - at).find('\\') == std::string_view::npos) return quote;
  while (true) {
    at = line_.find_first_of("\"\\", at);
    if (at == std::string_view::npos || line_[at] == '"') return at;
    at += 2;  // what follows a backslash is never the end
    if (at >= line_.size()) return std::string_view::npos;
  }
}

bool FastjsonReader::skip_string() {
  skip_spaces();
  if (peek() != '"') return false;
  const std::size_t end = closing_quote();
  if (end == std::string_view::npos) return false;
  at_ = end + 1;
  return true;
}

bool FastjsonReader::read_text(std::string_view& text, TextArena& arena) {
  skip_spaces();
  if (peek() != '"') return false;
  const std::size_t end = closing_quote();
  if (end == std::string_view::npos) return false;
  const std::string_view raw = line_.substr(at_ + 1, end - at_ - 1);
  at_ = end + 1;
  if (raw.find('\\') == std::string_view::npos) {
    text = to_utf8(raw, arena);
    return true;
  }
  std::string& unescaped = arena.next();
  if (!unescape(raw, unescaped)) return false;
  text = unescaped;
  return true;
}

bool FastjsonReader::skip_value() {
  skip_spaces();
  const std::size_t begin = at_;
  std::size_t depth = 0;
  while (at_ < line_.size()) {
    const char c = line_[at_];
    if (c == '"') {
      if (!skip_string()) return false;
      continue;
    }
    const bool closes = c == '}' || c == ']';
    if (depth == 0 && (closes || c == ',' || c == ':')) break;
    if (c == '{' || c == '[') ++depth;
    if (closes) --depth;
    ++at_;
  }
  return depth == 0 && at_ > begin;
}

}  // namespace skiff::dubbo
