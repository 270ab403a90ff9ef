#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "dubbo/bytes.h"
#include "dubbo/text.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace skiff::dubbo {

// A cursor over the hessian2 values of one body: skips any value, builds none, reads strings.
//   N T F | int 80-bf c0-cf d0-d7 I | long d8-ef f0-ff 38-3f 59 L | double 5b-5f D | date 4a 4b
//   string 00-1f 30-33 S, chunks R | binary 20-2f 34-37 B, chunks A
//   list 55 56 57 58 70-7f | map M H | class definition C, object O 60-6f | reference 51
// Work is linear in the size of the body: every step takes at least one byte of it, and a count may
// not exceed the bytes that are left. Nothing is allocated but in the arena of read_text().
// After a function returned false, problem() says why and the cursor must not be used any more.
class Hessian2Reader {
 public:
  // Containers within containers. A last element does not count: chains of any length are fine.
  static constexpr std::size_t kMaxDepth = 1024;
  static constexpr std::size_t kMaxClassDefinitions = 2048;

  // Starts over at `offset` of `body`, with no class definitions.
  void reset(Bytes body, std::size_t offset);

  std::size_t offset() const { return static_cast<std::size_t>(at_ - begin_); }
  std::size_t remaining() const { return static_cast<std::size_t>(end_ - at_); }

  // The next value's first byte; -1 at the end.
  int peek() const { return at_ == end_ ? -1 : *at_; }
  // Takes the next byte if it is `byte`.
  bool take(std::uint8_t byte) {
    if (at_ == end_ || *at_ != byte) return false;
    ++at_;
    return true;
  }
  bool next_is_string() const;
  // An int or long.
  bool next_is_integer() const;
  // A string, number, boolean, null, date or binary. All others take numbers that references and
  // objects behind them use.
  bool next_is_unnumbered() const;

  // Skips one value, with all that is in it.
  bool skip_value();

  // A string in one piece, in well-formed UTF-8; the text is in the body or in `arena`.
  bool read_whole_text(std::string_view& text, TextArena& arena) {
    return read_short_ascii(text) || read_long_text(text, arena);
  }
  // A string in any form.
  bool read_text(std::string_view& text, TextArena& arena) {
    return read_short_ascii(text) || read_any_text(text, arena);
  }

  // A number or boolean, as Java's String.valueOf() writes it; the text is in `arena`. A double
  // that Java writes with an exponent is refused, as are other values.
  bool read_number(std::string_view& text, TextArena& arena);

  // The type that stands before the elements of a typed list or map: a string or the number of one.
  bool skip_type();

  // One sentence, without an end: "hessian2: string runs over the end, at offset 12".
  std::string problem() const;

 private:
  // Up to 31 ASCII characters: nearly every string of a head and of attachments.
  static constexpr std::size_t kShortAsciiRoom = 32;  // bytes that are looked at at once
  bool read_short_ascii(std::string_view& text);
  bool read_long_text(std::string_view& text, TextArena& arena);
  bool read_any_text(std::string_view& text, TextArena& arena);

  bool refuse(const char* why);
  bool skip_bytes(std::size_t count);
  bool read_u8(std::uint8_t& value);
  bool read_u16(std::size_t& value);
  bool read_int(std::int32_t& value);
  bool read_count(std::uint32_t& count);

  struct Piece;
  bool read_string_piece(Piece& piece);
  bool skip_string();
  bool skip_binary();

  bool begin_next_child(bool& ended);
  bool push(std::uint32_t children);
  bool skip_scalar_or_begin();
  bool begin_list(std::uint8_t tag);
  bool begin_object(std::uint32_t definition);
  bool skip_class_definition();

  const std::uint8_t* begin_ = nullptr;
  const std::uint8_t* at_ = nullptr;
  const std::uint8_t* end_ = nullptr;
  const char* problem_ = "";

  // Children to come of each open container, or one of the marks of hessian2_reader.cpp.
  std::array<std::uint32_t, kMaxDepth> open_{};
  std::size_t depth_ = 0;
  std::array<std::uint32_t, kMaxClassDefinitions> field_counts_{};
  std::size_t class_definitions_ = 0;
};

inline bool Hessian2Reader::read_short_ascii(std::string_view& text) {
#if defined(__SSE2__)
  if (at_ == end_ || *at_ >= kShortAsciiRoom) return false;
  const unsigned size = *at_;
  if (size >= remaining() || static_cast<std::size_t>(end_ - begin_) < kShortAsciiRoom)
    return false;
  // Near the body's end, what is looked at ends there, and begins before the text.
  const std::uint8_t* const from = std::min(at_ + 1, end_ - kShortAsciiRoom);
  const auto* block = reinterpret_cast<const __m128i*>(from);
  const auto low = static_cast<unsigned>(_mm_movemask_epi8(_mm_loadu_si128(block)));
  const auto high = static_cast<unsigned>(_mm_movemask_epi8(_mm_loadu_si128(block + 1)));
  const auto non_ascii = std::uint64_t{high << 16U | low} >> static_cast<unsigned>(at_ + 1 - from);
  if ((non_ascii & ((1U << size) - 1U)) != 0) return false;
  text = {reinterpret_cast<const char*>(at_ + 1), size};
  at_ += 1 + size;
  return true;
#else
  static_cast<void>(text);
  return false;
#endif
}

}  // namespace skiff::dubbo
