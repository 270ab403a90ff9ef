#include "agent/text.h"

namespace skiff::agent {

std::string_view cut_utf8(std::string_view text, std::size_t max_bytes) {
  if (text.size() <= max_bytes) return text;
  std::size_t end = max_bytes;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80U) --end;
  return text.substr(0, end);
}

std::string in_quotes(std::string_view text) {
  constexpr std::size_t kMaxShownBytes = 100;
  const std::string_view shown = cut_utf8(text, kMaxShownBytes);
  return '"' + std::string(shown) + (shown.size() < text.size() ? "...\"" : "\"");
}

std::string printable(std::string_view text) {
  constexpr char kFirstPrinted = 0x20;
  constexpr char kDelete = 0x7f;
  constexpr char kC1Lead = '\xc2';  // of U+0080 to U+00BF; the first half are controls
  constexpr auto kC1End = static_cast<unsigned char>(0xa0);
  std::string shown(text);
  for (std::size_t i = 0; i < shown.size(); ++i) {
    const bool is_ascii_control =
        (shown[i] >= 0 && shown[i] < kFirstPrinted) || shown[i] == kDelete;
    const bool is_c1 = shown[i] == kC1Lead && i + 1 < shown.size() &&
                       static_cast<unsigned char>(shown[i + 1]) < kC1End;
    if (is_c1) shown.erase(i, 1);
    if (is_ascii_control || is_c1) shown[i] = '?';
  }
  return shown;
}

}  // namespace skiff::agent
