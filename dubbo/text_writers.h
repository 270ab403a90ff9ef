#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace skiff::dubbo {

// Append a string value as each serialization writes it, from UTF-8. Bytes that are no UTF-8 become
// U+FFFD. No function checks a size: texts are ours and small (well under 64 KiB).

// A length in UTF-16 units, then UTF-8 with supplementary characters as pairs of 3-byte surrogates:
// Java's hessian refuses 4-byte sequences. Texts over 65535 units are cut.
void append_hessian2_string(std::string_view text, std::string& out);

// ASCII or UTF-8 form, with the length of its bytes.
void append_jsonb_string(std::string_view text, std::string& out);

// With its quotes.
void append_json_string(std::string_view text, std::string& out);

// DataOutput.writeUTF(): a 2-byte size, then modified UTF-8 (NUL as c0 80, surrogates as above).
// Texts over 65535 bytes are cut.
void append_java_utf(std::string_view text, std::string& out);

void append_u32(std::uint32_t value, std::string& out);

}  // namespace skiff::dubbo
