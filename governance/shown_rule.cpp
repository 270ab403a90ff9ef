#include "governance/shown_rule.h"

namespace skiff::governance {
namespace {

constexpr std::string_view kSpaces = " \t\n\v\f\r";
constexpr std::size_t kMaxShownBytes = 200;

bool continues_character(char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; }

}  // namespace

std::string shown_rule(std::string_view text) {
  const auto begin = text.find_first_not_of(kSpaces);
  if (begin == std::string_view::npos) return {};
  text = text.substr(begin, text.find_last_not_of(kSpaces) - begin + 1);
  std::size_t size = text.size();
  if (size > kMaxShownBytes) {
    size = kMaxShownBytes;
    while (size > 0 && continues_character(text[size])) --size;
  }
  std::string shown(text.substr(0, size));
  for (char& c : shown) {
    if (kSpaces.find(c) != std::string_view::npos) c = ' ';
  }
  if (size < text.size()) shown += "...";
  return shown;
}

}  // namespace skiff::governance
