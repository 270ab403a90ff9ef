#include "dubbo/text_writers.h"

#include <algorithm>
#include <cstddef>

#include "dubbo/text.h"

namespace skiff::dubbo {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";
constexpr std::size_t kLongestCharacter = 6;  // bytes: two surrogates

void append_byte(std::size_t value, std::string& out) { out += static_cast<char>(value & 0xffU); }

void append_u16(std::size_t value, std::string& out) {
  append_byte(value >> 8U, out);
  append_byte(value, out);
}

// Three bytes for a UTF-16 unit that UTF-8 proper has no form for.
void append_surrogate(std::uint32_t unit, std::string& out) {
  append_byte(0xe0U | unit >> 12U, out);
  append_byte(0x80U | ((unit >> 6U) & 0x3fU), out);
  append_byte(0x80U | (unit & 0x3fU), out);
}

void append_with_surrogates(std::uint32_t code_point, std::string& out) {
  if (code_point < 0x10000) return append_utf8(code_point, out);
  append_surrogate(0xd800 + ((code_point - 0x10000) >> 10U), out);
  append_surrogate(0xdc00 + ((code_point - 0x10000) & 0x3ffU), out);
}

void append_jsonb_length(std::size_t size, std::string& out) {
  if (size <= 0x2f) {
    append_byte(size, out);
  } else if (size <= 0x7ff) {
    append_byte(0x38 + (size >> 8U), out);
    append_byte(size, out);
  } else if (size <= 0x3ffff) {
    append_byte(0x44 + (size >> 16U), out);
    append_u16(size, out);
  } else {
    out += '\x48';
    append_u32(static_cast<std::uint32_t>(size), out);
  }
}

}  // namespace

void append_u32(std::uint32_t value, std::string& out) {
  append_u16(value >> 16U, out);
  append_u16(value, out);
}

void append_hessian2_string(std::string_view text, std::string& out) {
  std::size_t units = utf16_size(text);
  if (units < 0x20) {
    append_byte(units, out);
  } else if (units < 0x400) {
    append_byte(0x30 + (units >> 8U), out);
    append_byte(units, out);
  } else {
    units = std::min<std::size_t>(units, 0xffff);
    out += 'S';
    append_u16(units, out);
  }
  while (units > 0) {
    std::uint32_t c = take_character(text);
    if (c >= 0x10000 && units == 1) c = 0xfffd;  // no room for its second half
    append_with_surrogates(c, out);
    units -= c >= 0x10000 ? 2 : 1;
  }
}

void append_jsonb_string(std::string_view text, std::string& out) {
  if (is_ascii(text)) {
    if (text.size() <= 0x2f) {
      append_byte(0x49 + text.size(), out);
    } else {
      out += '\x79';
      append_jsonb_length(text.size(), out);
    }
    out += text;
    return;
  }
  TextArena arena;
  const std::string_view utf8 = to_utf8(text, arena);
  out += '\x7a';
  append_jsonb_length(utf8.size(), out);
  out += utf8;
}

void append_json_string(std::string_view text, std::string& out) {
  out += '"';
  while (!text.empty()) {
    const std::uint32_t c = take_character(text);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += static_cast<char>(c);
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\r') {
      out += "\\r";
    } else if (c == '\t') {
      out += "\\t";
    } else if (c < 0x20) {
      out.append("\\u00").append(1, kHexDigits[c >> 4U]).append(1, kHexDigits[c & 0x0fU]);
    } else {
      append_utf8(c, out);
    }
  }
  out += '"';
}

void append_java_utf(std::string_view text, std::string& out) {
  const std::size_t size_at = out.size();
  append_u16(0, out);
  const std::size_t text_at = out.size();
  while (!text.empty() && out.size() - text_at <= 0xffff - kLongestCharacter) {
    const std::uint32_t c = take_character(text);
    if (c == 0) {
      out += "\xc0\x80";
    } else {
      append_with_surrogates(c, out);
    }
  }
  const std::size_t size = out.size() - text_at;
  out[size_at] = static_cast<char>(size >> 8U);
  out[size_at + 1] = static_cast<char>(size & 0xffU);
}

}  // namespace skiff::dubbo
