#pragma once

#include <string>
#include <string_view>

namespace skiff::governance {

// A part of a rule as names and errors show it: in one line, without spaces around, and cut at some
// 200 bytes, never inside a UTF-8 character.
std::string shown_rule(std::string_view text);

}  // namespace skiff::governance
