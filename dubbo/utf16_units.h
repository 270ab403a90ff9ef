#pragma once

#include <cstddef>
#include <cstdint>

namespace skiff::dubbo {

// Where a text of `units` UTF-16 code units ends that begins at `begin`: hessian2 counts strings in
// Java's chars, while the bytes are UTF-8. Supplementary characters count two, written either as
// one 4-byte sequence or, as Java does, as a pair of 3-byte surrogates. nullptr where `end` comes
// first or cuts the last character. Never reads at or past `end`.
//
// The bytes are not checked to be well-formed: each byte that is no continuation (80-bf) begins a
// character, worth two units from f0 on, and the last character's first byte says where the text
// ends. What follows the text never changes the result.
const std::uint8_t* skip_utf16_units(const std::uint8_t* begin, const std::uint8_t* end,
                                     std::size_t units);

}  // namespace skiff::dubbo
