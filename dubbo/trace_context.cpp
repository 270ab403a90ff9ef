#include "dubbo/trace_context.h"

#include <algorithm>
#include <cstddef>

namespace skiff::dubbo {
namespace {

char to_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool is_named(std::string_view key, std::string_view lower_case) {
  return key.size() == lower_case.size() &&
         std::ranges::equal(key, lower_case, [](char a, char b) { return to_lower(a) == b; });
}

bool is_hex(std::string_view text) {
  return std::ranges::all_of(text, [](char c) {
    const char lower = to_lower(c);
    return (c >= '0' && c <= '9') || (lower >= 'a' && lower <= 'f');
  });
}

// 64 or 128 bits.
std::string_view b3_id(std::string_view text) {
  const bool is_id = (text.size() == 16 || text.size() == 32) && is_hex(text);
  return is_id ? text : std::string_view();
}

// "00-" trace id "-" parent id "-" flags; later versions may have more behind it.
std::string_view w3c_id(std::string_view text) {
  constexpr std::size_t kAt = 3;
  constexpr std::size_t kSize = 32;
  if (text.size() < kAt + kSize + 1 || text[kAt - 1] != '-' || text[kAt + kSize] != '-') return {};
  const std::string_view id = text.substr(kAt, kSize);
  return is_hex(id) ? id : std::string_view();
}

}  // namespace

std::string_view trace_id_of(const Attachments& attachments) {
  std::string_view w3c;
  std::string_view single;
  std::string_view several;
  for (std::size_t i = 0; i < attachments.size(); ++i) {
    const auto& [key, value] = attachments[i];
    if (is_named(key, "traceparent")) {
      w3c = w3c_id(value);
    } else if (is_named(key, "b3")) {
      single = b3_id(value.substr(0, value.find('-')));
    } else if (is_named(key, "x-b3-traceid")) {
      several = b3_id(value);
    }
  }
  if (!w3c.empty()) return w3c;
  return single.empty() ? several : single;
}

}  // namespace skiff::dubbo
