#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace skiff::governance {

// The IPv4 addresses with a port that stand somewhere in a rule's text, each once:
// "10.0.0.5:20880".
std::vector<std::string> addresses_in(std::string_view text);

}  // namespace skiff::governance
