#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <string>
#include <string_view>

#include "dubbo/bytes.h"

namespace skiff::dubbo {

inline bool is_ascii(std::string_view text) {
  const char* p = text.data();
  std::size_t left = text.size();
  std::uint64_t seen = 0;
  std::uint64_t word = 0;
  if (left >= sizeof(word)) {
    for (; left > sizeof(word); p += sizeof(word), left -= sizeof(word)) {
      std::memcpy(&word, p, sizeof(word));
      seen |= word;
    }
    std::memcpy(&word, text.data() + text.size() - sizeof(word), sizeof(word));
    seen |= word;
  } else {
    for (; left > 0; ++p, --left) seen |= static_cast<unsigned char>(*p);
  }
  return (seen & 0x8080808080808080U) == 0;
}

// Texts that had to be converted from their wire form. A text stays where it is until clear().
// Buffers are reused: after a while nothing is allocated for small texts.
class TextArena {
 public:
  // An empty string to fill.
  std::string& next();
  void clear() {
    if (used_ > 0) reuse();
  }

 private:
  void reuse();

  static constexpr std::size_t kMaxKeptTexts = 256;
  static constexpr std::size_t kMaxKeptBytes = 4096;  // of one text

  std::deque<std::string> texts_;
  std::size_t used_ = 0;
};

// Appends `code_point` in UTF-8; what is no character (surrogates, over 10ffff) as U+FFFD.
void append_utf8(std::uint32_t code_point, std::string& out);

// Reads one character of UTF-8 that may be written in Java's ways as well: a supplementary one as
// two 3-byte surrogates, NUL as c0 80. Takes it off the front of `text`, which must not be empty.
// Bytes that are no character give U+FFFD, one byte at a time.
std::uint32_t take_character(std::string_view& text);

// How many UTF-16 code units a Java string of this text has.
std::size_t utf16_size(std::string_view text);

// `text` itself where it is well-formed UTF-8, else a copy in `arena` that is.
std::string_view to_utf8(std::string_view text, TextArena& arena);
std::string_view latin1_to_utf8(std::string_view text, TextArena& arena);
// An odd last byte gives U+FFFD.
enum class ByteOrder { kLittle, kBig };
std::string_view utf16_to_utf8(Bytes bytes, ByteOrder order, TextArena& arena);

}  // namespace skiff::dubbo
