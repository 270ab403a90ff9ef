#include "dubbo/jsonb_reader.h"

namespace skiff::dubbo {
namespace {

constexpr std::uint8_t kBinary = 0x91;
constexpr std::uint8_t kTyped = 0x92;
constexpr std::uint8_t kReference = 0x93;
constexpr std::uint8_t kArray0 = 0x94;
constexpr std::uint8_t kArray = 0xa4;
constexpr std::uint8_t kObjectEnd = 0xa5;
constexpr std::uint8_t kObject = 0xa6;
constexpr std::uint8_t kZonedTime = 0xaa;
constexpr std::uint8_t kAscii0 = 0x49;
constexpr std::uint8_t kAscii = 0x79;
constexpr std::uint8_t kUtf8 = 0x7a;
constexpr std::uint8_t kUtf16 = 0x7b;
constexpr std::uint8_t kUtf16Le = 0x7c;
constexpr std::uint8_t kUtf16Be = 0x7d;
constexpr std::uint8_t kGb18030 = 0x7e;
constexpr std::uint8_t kSymbol = 0x7f;

// Marks an object in open_: its end is a byte, not a count.
constexpr std::uint32_t kToObjectEnd = 0xffffffff;

// The whole size of values whose first byte says it; 0 for all others.
constexpr std::array<std::uint8_t, 256> scalar_sizes() {
  std::array<std::uint8_t, 256> sizes{};
  const auto set = [&sizes](unsigned first, unsigned last, unsigned size) {
    for (unsigned tag = first; tag <= last; ++tag) sizes[tag] = static_cast<std::uint8_t>(size);
  };
  set(0x00, 0x2f, 1);  // int
  set(0x30, 0x3f, 2);
  set(0x40, 0x47, 3);
  set(0x48, 0x48, 5);
  for (unsigned tag = 0x49; tag <= 0x78; ++tag) set(tag, tag, 1 + (tag - 0x49));  // string
  set(0xa9, 0xa9, 5);                                                             // local date
  set(0xab, 0xab, 9);  // timestamps: ms, s, minutes
  set(0xac, 0xad, 5);
  set(0xaf, 0xb3, 1);  // null, false, true, 0.0, 1.0
  set(0xb5, 0xb5, 9);  // double
  set(0xb7, 0xb7, 5);  // float
  set(0xbc, 0xbc, 3);  // short, byte
  set(0xbd, 0xbd, 2);
  set(0xbe, 0xbe, 9);  // long
  set(0xbf, 0xbf, 5);
  set(0xc0, 0xc7, 3);
  set(0xc8, 0xd7, 2);
  set(0xd8, 0xef, 1);
  set(0xf0, 0xff, 1);  // int
  return sizes;
}

constexpr auto kScalarSizes = scalar_sizes();

constexpr bool is_int_tag(int tag) { return (tag >= 0 && tag <= 0x48) || tag >= 0xf0; }
constexpr bool is_string_tag(int tag) { return tag >= kAscii0 && tag <= kGb18030; }

}  // namespace

// open_ is filled as depth_ grows; clearing it would cost more than most documents.
// NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init)
JsonbReader::JsonbReader(Bytes document)
    : begin_(reinterpret_cast<const std::uint8_t*>(document.data())),
      at_(begin_),
      end_(begin_ + document.size()) {}

std::string JsonbReader::problem() const {
  return std::string("fastjson2: ") + problem_ + ", at offset " + std::to_string(offset()) +
         " of a value";
}

bool JsonbReader::refuse(const char* why) {
  problem_ = why;
  return false;
}

bool JsonbReader::take(std::uint8_t byte) {
  if (at_ == end_ || *at_ != byte) return false;
  ++at_;
  return true;
}

bool JsonbReader::next_is_int() const { return is_int_tag(peek()); }

bool JsonbReader::next_is_text() const {
  int tag = peek();
  // A symbol by name is the name and its number.
  if (tag == kSymbol) tag = remaining() > 1 ? at_[1] : -1;
  return is_string_tag(tag) && tag != kGb18030;
}

bool JsonbReader::next_is_unreferenced() const {
  const int tag = peek();
  const bool has_values = (tag >= kArray0 && tag <= kArray) || tag == kObject || tag == kZonedTime;
  return tag >= 0 && !has_values && tag != kSymbol && tag != kTyped && tag != kReference;
}

bool JsonbReader::skip_bytes(std::size_t count) {
  if (count > remaining()) return refuse("value runs over its end");
  at_ += count;
  return true;
}

bool JsonbReader::read_int(std::int64_t& value) {
  const int tag = peek();
  if (!is_int_tag(tag)) return refuse("expected an int");
  const std::size_t size = kScalarSizes[static_cast<std::size_t>(tag)];
  if (size > remaining()) return refuse("value runs over its end");
  switch (size) {
    case 1:
      value = tag >= 0xf0 ? tag - 0x100 : tag;
      break;
    case 2:
      value = (tag - 0x38) * 0x100 + at_[1];
      break;
    case 3:
      value = (tag - 0x44) * 0x10000 + at_[1] * 0x100 + at_[2];
      break;
    default:
      value =
          static_cast<std::int32_t>(std::uint32_t{at_[1]} << 24U | std::uint32_t{at_[2]} << 16U |
                                    std::uint32_t{at_[3]} << 8U | at_[4]);
  }
  at_ += size;
  return true;
}

// Of what follows: each counted thing has at least one byte.
bool JsonbReader::read_length(std::size_t& length) {
  std::int64_t value = 0;
  if (!read_int(value)) return false;
  if (value < 0) return refuse("negative length");
  length = static_cast<std::size_t>(value);
  if (length > remaining()) return refuse("length is larger than the rest of the value");
  return true;
}

bool JsonbReader::read_string_bytes(Bytes& bytes, std::uint8_t& tag) {
  if (!is_string_tag(peek())) return refuse("expected a string");
  tag = *at_++;
  auto size = static_cast<std::size_t>(tag - kAscii0);
  if (tag >= kAscii && !read_length(size)) return false;
  const auto* const start = reinterpret_cast<const std::byte*>(at_);
  if (!skip_bytes(size)) return false;
  bytes = {start, size};
  return true;
}

bool JsonbReader::read_text(std::string_view& text, TextArena& arena) {
  const bool is_symbol = take(kSymbol);
  Bytes bytes;
  std::uint8_t tag = 0;
  if (!read_string_bytes(bytes, tag)) return false;
  std::int64_t number = 0;
  if (is_symbol && !read_int(number)) return false;
  switch (tag) {
    case kUtf8:
      text = to_utf8(as_text(bytes), arena);
      return true;
    case kUtf16:
    case kUtf16Be:
      text = utf16_to_utf8(bytes, ByteOrder::kBig, arena);
      return true;
    case kUtf16Le:
      text = utf16_to_utf8(bytes, ByteOrder::kLittle, arena);
      return true;
    case kGb18030:
      return refuse("string in GB18030");
    default:
      // "ASCII" strings hold Latin-1 at some writers; stock readers take them so.
      text = latin1_to_utf8(as_text(bytes), arena);
      return true;
  }
}

// A symbol by name ("name" number), as after 7f and 92, or by number alone.
bool JsonbReader::skip_symbol() {
  std::int64_t number = 0;
  if (next_is_int()) return read_int(number);
  Bytes name;
  std::uint8_t tag = 0;
  return read_string_bytes(name, tag) && read_int(number);
}

bool JsonbReader::skip_type() {
  take(kSymbol);
  return skip_symbol();
}

bool JsonbReader::push(std::uint32_t children) {
  if (children == 0) return true;
  if (depth_ == kMaxDepth) return refuse("values are nested too deeply");
  open_[depth_++] = children;
  return true;
}

bool JsonbReader::begin_next_child(bool& ended) {
  std::uint32_t& children = open_[depth_ - 1];
  ended = false;
  if (children == kToObjectEnd) {
    ended = take(kObjectEnd);
    if (ended) --depth_;
  } else if (--children == 0) {
    --depth_;
  }
  return ended || at_ != end_ || refuse("ends within an array or object");
}

bool JsonbReader::skip_value() {
  depth_ = 0;
  if (!skip_scalar_or_begin()) return false;
  while (depth_ > 0) {
    bool ended = false;
    if (!begin_next_child(ended)) return false;
    if (!ended && !skip_scalar_or_begin()) return false;
  }
  return true;
}

// Length, then as many bytes.
bool JsonbReader::skip_sized() {
  std::size_t size = 0;
  return read_length(size) && skip_bytes(size);
}

bool JsonbReader::skip_scalar_or_begin() {
  if (at_ == end_) return refuse("ends where a value is expected");
  const std::uint8_t tag = *at_;
  if (const std::size_t size = kScalarSizes[tag]; size != 0) return skip_bytes(size);
  ++at_;
  if (tag >= kArray0 && tag < kArray) return push(static_cast<std::uint32_t>(tag - kArray0));
  std::int64_t number = 0;
  std::size_t length = 0;
  switch (tag) {
    case kAscii:
    case kUtf8:
    case kUtf16:
    case kUtf16Le:
    case kUtf16Be:
    case kGb18030:
    case kBinary:
    case 0xbb:  // big integer
      return skip_sized();
    case kSymbol:
      return skip_symbol();
    case kTyped:
      return skip_type() && push(1);
    case kArray:
      return read_length(length) && push(static_cast<std::uint32_t>(length));
    case kObject:
      return push(kToObjectEnd);
    case kReference:  // a path
    case 0xb4:        // double, decimal and big integer written as a long
    case 0xb8:
    case 0xba:
      return push(1);
    case 0x90:  // char
    case 0xb6:  // float written as an int
      return read_int(number);
    case 0xb9:  // decimal: scale, then the unscaled number
      return read_int(number) && push(1);
    case 0xa7:
    case 0xa8:
    case kZonedTime:
    case 0xae:
      return skip_time(tag);
    default:
      --at_;
      return refuse("byte begins no value");
  }
}

// Times with nanoseconds, which are an int.
bool JsonbReader::skip_time(std::uint8_t tag) {
  const std::size_t fixed_bytes = tag == 0xa7 ? 3 : tag == 0xae ? 8 : 7;
  std::int64_t nanoseconds = 0;
  if (!skip_bytes(fixed_bytes) || !read_int(nanoseconds)) return false;
  return tag == kZonedTime ? push(1) : true;  // the zone's name
}

}  // namespace skiff::dubbo
