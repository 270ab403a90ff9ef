#include "dubbo/hessian2_reader.h"

#include <algorithm>

#include "dubbo/utf16_units.h"

namespace skiff::dubbo {
namespace {

// Marks in open_, beyond any count: counts are positive 32-bit signed numbers on the wire.
constexpr std::uint32_t kListToEnd = 0xffffffff;
constexpr std::uint32_t kMapAtKey = 0xfffffffe;
constexpr std::uint32_t kMapAtValue = 0xfffffffd;

constexpr std::uint8_t kEnd = 'Z';

// Texts that are looked at for being ASCII first; most are, and then nothing must be counted.
constexpr std::size_t kShortText = 256;

// The whole size of values whose first byte says it; 0 for all others.
constexpr std::array<std::uint8_t, 256> scalar_sizes() {
  std::array<std::uint8_t, 256> sizes{};
  const auto set = [&sizes](unsigned first, unsigned last, unsigned size) {
    for (unsigned tag = first; tag <= last; ++tag) sizes[tag] = static_cast<std::uint8_t>(size);
  };
  for (unsigned tag = 0x20; tag <= 0x2f; ++tag) set(tag, tag, 1 + (tag - 0x20));  // binary
  set(0x38, 0x3f, 3);                                                             // long
  set('D', 'D', 9);
  set('F', 'F', 1);
  set('I', 'I', 5);
  set(0x4a, 0x4a, 9);  // date in ms
  set(0x4b, 0x4b, 5);  // date in minutes
  set('L', 'L', 9);
  set('N', 'N', 1);
  set('T', 'T', 1);
  set(0x59, 0x59, 5);  // long
  set(0x5b, 0x5c, 1);  // double
  set(0x5d, 0x5d, 2);
  set(0x5e, 0x5e, 3);
  set(0x5f, 0x5f, 5);
  set(0x80, 0xbf, 1);  // int
  set(0xc0, 0xcf, 2);
  set(0xd0, 0xd7, 3);
  set(0xd8, 0xef, 1);  // long
  set(0xf0, 0xff, 2);
  return sizes;
}

constexpr auto kScalarSizes = scalar_sizes();

constexpr bool is_string_tag(int tag) {
  return (tag >= 0 && tag < 0x20) || (tag >= 0x30 && tag <= 0x33) || tag == 'S' || tag == 'R';
}

}  // namespace

// One piece of a string: all of it, but where it is a chunk that others follow.
struct Hessian2Reader::Piece {
  std::string_view bytes;
  bool is_last = true;
  bool is_ascii = false;
};

void Hessian2Reader::reset(Bytes body, std::size_t offset) {
  begin_ = reinterpret_cast<const std::uint8_t*>(body.data());
  at_ = begin_ + std::min(offset, body.size());
  end_ = begin_ + body.size();
  problem_ = "";
  depth_ = 0;
  class_definitions_ = 0;
}

std::string Hessian2Reader::problem() const {
  return std::string("hessian2: ") + problem_ + ", at offset " + std::to_string(offset());
}

bool Hessian2Reader::refuse(const char* why) {
  problem_ = why;
  return false;
}

bool Hessian2Reader::next_is_string() const { return is_string_tag(peek()); }

bool Hessian2Reader::next_is_unnumbered() const {
  const int tag = peek();
  if (tag < 0) return false;
  const bool is_long_binary = (tag >= 0x34 && tag <= 0x37) || tag == 'A' || tag == 'B';
  return is_string_tag(tag) || is_long_binary || kScalarSizes[static_cast<std::size_t>(tag)] != 0;
}

bool Hessian2Reader::skip_bytes(std::size_t count) {
  if (count > remaining()) return refuse("value runs over the end of the body");
  at_ += count;
  return true;
}

bool Hessian2Reader::read_u8(std::uint8_t& value) {
  if (at_ == end_) return refuse("body ends within a value");
  value = *at_++;
  return true;
}

bool Hessian2Reader::read_u16(std::size_t& value) {
  if (remaining() < 2) return refuse("body ends within a value");
  value = static_cast<std::size_t>(at_[0] << 8U | at_[1]);
  at_ += 2;
  return true;
}

bool Hessian2Reader::read_int(std::int32_t& value) {
  const int tag = peek();
  const std::size_t size = tag < 0 ? 0 : kScalarSizes[static_cast<std::size_t>(tag)];
  const bool is_int = tag == 'I' || (tag >= 0x80 && tag <= 0xd7);
  if (!is_int) return refuse("expected an int");
  if (size > remaining()) return refuse("body ends within an int");
  if (tag == 'I') {
    value = static_cast<std::int32_t>(std::uint32_t{at_[1]} << 24U | std::uint32_t{at_[2]} << 16U |
                                      std::uint32_t{at_[3]} << 8U | at_[4]);
  } else if (size == 1) {
    value = tag - 0x90;
  } else if (size == 2) {
    value = (tag - 0xc8) * 0x100 + at_[1];
  } else {
    value = (tag - 0xd4) * 0x10000 + at_[1] * 0x100 + at_[2];
  }
  at_ += size;
  return true;
}

// A number of values that must follow, each of at least one byte.
bool Hessian2Reader::read_count(std::uint32_t& count) {
  std::int32_t value = 0;
  if (!read_int(value)) return false;
  if (value < 0) return refuse("negative count");
  count = static_cast<std::uint32_t>(value);
  if (count > remaining()) return refuse("count is larger than the rest of the body");
  return true;
}

bool Hessian2Reader::read_string_piece(Piece& piece) {
  std::uint8_t tag = 0;
  if (!read_u8(tag)) return false;
  std::size_t units = tag;
  if (tag >= 0x30 && tag <= 0x33) {
    std::uint8_t low = 0;
    if (!read_u8(low)) return false;
    units = static_cast<std::size_t>((tag - 0x30) << 8U | low);
  } else if (tag == 'S' || tag == 'R') {
    if (!read_u16(units)) return false;
  } else if (tag >= 0x20) {
    --at_;
    return refuse("expected a string");
  }
  piece.is_last = tag != 'R';
  piece.bytes = {reinterpret_cast<const char*>(at_), std::min(units, remaining())};
  piece.is_ascii = units <= kShortText && piece.bytes.size() == units && is_ascii(piece.bytes);
  if (!piece.is_ascii) {
    const std::uint8_t* const end_of_text = skip_utf16_units(at_, end_, units);
    if (end_of_text == nullptr) return refuse("string runs over the end of the body");
    piece.bytes = {piece.bytes.data(), static_cast<std::size_t>(end_of_text - at_)};
  }
  at_ += piece.bytes.size();
  return true;
}

bool Hessian2Reader::skip_string() {
  std::string_view short_text;
  if (read_short_ascii(short_text)) return true;
  Piece piece;
  do {
    if (!read_string_piece(piece)) return false;
  } while (!piece.is_last);
  return true;
}

bool Hessian2Reader::read_long_text(std::string_view& text, TextArena& arena) {
  Piece piece;
  if (!read_string_piece(piece)) return false;
  if (!piece.is_last) return refuse("string in chunks where a short one is expected");
  text = piece.is_ascii ? piece.bytes : to_utf8(piece.bytes, arena);
  return true;
}

bool Hessian2Reader::read_any_text(std::string_view& text, TextArena& arena) {
  Piece piece;
  if (!read_string_piece(piece)) return false;
  if (piece.is_last) {
    text = piece.is_ascii ? piece.bytes : to_utf8(piece.bytes, arena);
    return true;
  }
  // Chunks are joined before they are converted: a surrogate pair may be split between them.
  std::string& joined = arena.next();
  joined = piece.bytes;
  while (!piece.is_last) {
    if (!read_string_piece(piece)) return false;
    joined += piece.bytes;
  }
  text = to_utf8(joined, arena);
  return true;
}

bool Hessian2Reader::skip_binary() {
  while (true) {
    std::uint8_t tag = 0;
    std::size_t size = 0;
    if (!read_u8(tag)) return false;
    if (tag >= 0x20 && tag <= 0x2f) {
      size = static_cast<std::size_t>(tag - 0x20);
    } else if (tag >= 0x34 && tag <= 0x37) {
      std::uint8_t low = 0;
      if (!read_u8(low)) return false;
      size = static_cast<std::size_t>((tag - 0x34) << 8U | low);
    } else if (tag != 'A' && tag != 'B') {
      return refuse("expected another chunk of a binary");
    } else if (!read_u16(size)) {
      return false;
    }
    if (!skip_bytes(size)) return false;
    if (tag != 'A') return true;
  }
}

bool Hessian2Reader::skip_type() {
  if (next_is_string()) return skip_string();
  std::int32_t number_of_type = 0;
  return read_int(number_of_type);
}

bool Hessian2Reader::push(std::uint32_t children) {
  if (children == 0) return true;
  if (depth_ == kMaxDepth) return refuse("values are nested too deeply");
  open_[depth_++] = children;
  return true;
}

// Counts the child of the innermost container that comes next, or closes the container.
bool Hessian2Reader::begin_next_child(bool& ended) {
  std::uint32_t& children = open_[depth_ - 1];
  ended = false;
  if (children == kMapAtValue) {
    children = kMapAtKey;
  } else if (children == kListToEnd || children == kMapAtKey) {
    ended = take(kEnd);
    if (ended) {
      --depth_;
    } else if (children == kMapAtKey) {
      children = kMapAtValue;
    }
  } else if (--children == 0) {
    --depth_;  // the last child needs no place of its own
  }
  return ended || at_ != end_ || refuse("body ends within a list, map or object");
}

bool Hessian2Reader::skip_value() {
  depth_ = 0;
  if (!skip_scalar_or_begin()) return false;
  while (depth_ > 0) {
    bool ended = false;
    if (!begin_next_child(ended)) return false;
    if (!ended && !skip_scalar_or_begin()) return false;
  }
  return true;
}

bool Hessian2Reader::skip_scalar_or_begin() {
  if (at_ == end_) return refuse("body ends where a value is expected");
  const std::uint8_t tag = *at_;
  if (const std::size_t size = kScalarSizes[tag]; size != 0) return skip_bytes(size);
  if (is_string_tag(tag)) return skip_string();
  if (tag >= 0x60 && tag <= 0x6f) {
    ++at_;
    return begin_object(static_cast<std::uint32_t>(tag - 0x60));
  }
  if (tag >= 0x70 && tag <= 0x7f) return begin_list(tag);
  std::int32_t number = 0;
  switch (tag) {
    case 0x34:
    case 0x35:
    case 0x36:
    case 0x37:
    case 'A':
    case 'B':
      return skip_binary();
    case 'C':
      // An object follows as the same value.
      return skip_class_definition();
    case 'H':
      ++at_;
      return push(kMapAtKey);
    case 'M':
      ++at_;
      return skip_type() && push(kMapAtKey);
    case 'O':
      ++at_;
      if (!read_int(number)) return false;
      return begin_object(static_cast<std::uint32_t>(number));
    case 0x51:  // reference
      ++at_;
      return read_int(number);
    case 0x55:
    case 0x56:
    case 0x57:
    case 0x58:
      return begin_list(tag);
    default:
      return refuse("byte begins no value");
  }
}

bool Hessian2Reader::begin_list(std::uint8_t tag) {
  ++at_;
  const bool has_type = tag == 0x55 || tag == 0x56 || (tag >= 0x70 && tag <= 0x77);
  if (has_type && !skip_type()) return false;
  if (tag == 0x55 || tag == 0x57) return push(kListToEnd);
  std::uint32_t count = tag & 0x07U;
  if (tag < 0x70 && !read_count(count)) return false;
  return push(count);
}

bool Hessian2Reader::begin_object(std::uint32_t definition) {
  if (definition >= class_definitions_) return refuse("object of a class that is not defined");
  if (field_counts_[definition] > remaining()) return refuse("body ends within an object");
  return push(field_counts_[definition]);
}

// Defines a class; the object that must follow is the one child of this value.
bool Hessian2Reader::skip_class_definition() {
  ++at_;
  std::uint32_t fields = 0;
  if (!skip_string() || !read_count(fields)) return false;
  for (std::uint32_t i = 0; i < fields; ++i) {
    if (!skip_string()) return false;
  }
  if (class_definitions_ == kMaxClassDefinitions) return refuse("too many class definitions");
  field_counts_[class_definitions_++] = fields;
  if (at_ == end_ || (*at_ != 'O' && (*at_ & 0xf0U) != 0x60)) {
    return refuse("expected an object after its class definition");
  }
  return push(1);
}

}  // namespace skiff::dubbo
