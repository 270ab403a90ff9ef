#pragma once

#include <string>
#include <string_view>

namespace skiff::agent {

// `text` in quotes, cut where it is long (never inside a UTF-8 character): what users sent may be
// anything, and goes into error sentences.
std::string in_quotes(std::string_view text);

// The first `max_bytes` of `text`, or fewer, so that no UTF-8 character is cut.
std::string_view cut_utf8(std::string_view text, std::size_t max_bytes);

// With a question mark for each control character: what other machines said must not steer the
// terminal that it is shown in.
std::string printable(std::string_view text);

}  // namespace skiff::agent
