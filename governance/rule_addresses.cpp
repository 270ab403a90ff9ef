#include "governance/rule_addresses.h"

#include <algorithm>

#include "dubbo/url.h"

namespace skiff::governance {
namespace {

constexpr std::string_view kAddressCharacters = "0123456789.:";

bool is_address(std::string_view text) {
  const auto dots = std::ranges::count(text, '.');
  const auto colons = std::ranges::count(text, ':');
  return dots == 3 && colons == 1 && dubbo::parse_host_port(text).has_value();
}

}  // namespace

std::set<std::string> addresses_in(std::string_view text) {
  std::set<std::string> found;
  while (true) {
    const std::size_t begin = text.find_first_of(kAddressCharacters);
    if (begin == std::string_view::npos || found.size() == kMaxRuleAddresses) return found;
    text.remove_prefix(begin);
    std::string_view word = text.substr(0, text.find_first_not_of(kAddressCharacters));
    text.remove_prefix(word.size());
    // A colon behind it is YAML's.
    while (word.ends_with(':') || word.ends_with('.')) word.remove_suffix(1);
    if (is_address(word)) found.emplace(word);
  }
}

}  // namespace skiff::governance
