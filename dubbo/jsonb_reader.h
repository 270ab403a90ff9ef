#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "dubbo/bytes.h"
#include "dubbo/text.h"

namespace skiff::dubbo {

// A cursor over one document of JSONB, fastjson2's binary form (the table of its first bytes is in
// com.alibaba.fastjson2.JSONB):
//   int f0-2f 30-3f 40-47 48, short bc, byte bd | long d8-ef c8-d7 c0-c7 bf be | af null, b0 b1
//   bool string 49-78 79 7a 7b 7c 7d 7e, symbol 7f | b2-b7 float and double | b8-bb decimal and
//   bigint char 90 | binary 91 | typed 92 | reference 93 | array 94-a4 | object a6 .. a5 | time
//   a7-ae
// Work is linear in the size of the document; nothing is allocated but in the arena of read_text().
// After a function returned false, problem() says why and the cursor must not be used any more.
class JsonbReader {
 public:
  static constexpr std::size_t kMaxDepth = 512;  // as in Hessian2Reader

  explicit JsonbReader(Bytes document);

  std::size_t offset() const { return static_cast<std::size_t>(at_ - begin_); }
  std::size_t remaining() const { return static_cast<std::size_t>(end_ - at_); }
  int peek() const { return at_ == end_ ? -1 : *at_; }
  bool take(std::uint8_t byte);

  // A string in one of the forms that read_text() can convert: not GB18030, no symbol by number.
  bool next_is_text() const;
  bool read_text(std::string_view& text, TextArena& arena);
  bool next_is_int() const;
  // A string, number, boolean, null, binary or time without a zone's name, that defines no symbol:
  // nothing behind it can refer to it or to a part of it.
  bool next_is_unreferenced() const;

  // An int, long or boolean, as Java's String.valueOf() writes it; other values are refused.
  bool read_number(std::string_view& text, TextArena& arena);

  bool skip_value();
  // What stands between 92 and the value that is typed: a name with its symbol, or a symbol.
  bool skip_type();

  // One sentence, without an end.
  std::string problem() const;

 private:
  bool refuse(const char* why);
  bool skip_bytes(std::size_t count);
  bool read_int(std::int64_t& value);
  bool read_length(std::size_t& length);
  bool read_string_bytes(Bytes& bytes, std::uint8_t& tag);
  bool skip_symbol();
  bool skip_sized();
  bool skip_scalar_or_begin();
  bool skip_time(std::uint8_t tag);
  bool push(std::uint32_t children);
  bool begin_next_child(bool& ended);

  const std::uint8_t* begin_;
  const std::uint8_t* at_;
  const std::uint8_t* end_;
  const char* problem_ = "";
  std::size_t depth_ = 0;
  std::array<std::uint32_t, kMaxDepth> open_;  // children to come of each open array or object
};

}  // namespace skiff::dubbo
