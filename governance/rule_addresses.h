#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <string_view>

namespace skiff::governance {

// More are not looked for.
inline constexpr std::size_t kMaxRuleAddresses = 1000;

// The IPv4 addresses with a port that stand somewhere in a rule's text: "10.0.0.5:20880".
std::set<std::string> addresses_in(std::string_view text);

}  // namespace skiff::governance
