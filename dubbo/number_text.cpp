// Numbers and booleans of request bodies as texts, for rules that compare arguments.
#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdint>

#include "dubbo/hessian2_reader.h"
#include "dubbo/jsonb_reader.h"

namespace skiff::dubbo {
namespace {

// `size` bytes, big-endian, with a sign.
std::int64_t load_signed(const std::uint8_t* at, std::size_t size) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < size; ++i) value = value << 8U | at[i];
  const auto shift = static_cast<unsigned>(64 - 8 * size);
  return static_cast<std::int64_t>(value << shift) >> shift;
}

std::string_view write_integer(std::int64_t value, TextArena& arena) {
  std::array<char, 24> digits{};
  const auto written = std::to_chars(digits.data(), digits.data() + digits.size(), value);
  std::string& text = arena.next();
  text.assign(digits.data(), written.ptr);
  return text;
}

std::string_view write_word(const char* word, TextArena& arena) {
  std::string& text = arena.next();
  text = word;
  return text;
}

// Double.toString() writes others with an exponent.
bool is_written_plainly(double value) {
  constexpr double kMin = 1e-3;
  constexpr double kEnd = 1e7;
  return value == 0 || (std::abs(value) >= kMin && std::abs(value) < kEnd);
}

std::string_view write_double(double value, TextArena& arena) {
  std::array<char, 64> digits{};
  const auto written =
      std::to_chars(digits.data(), digits.data() + digits.size(), value, std::chars_format::fixed);
  std::string& text = arena.next();
  text.assign(digits.data(), written.ptr);
  if (text.find('.') == std::string::npos) text += ".0";
  return text;
}

// Of hessian2: a value's form is known by its first byte.
struct Form {
  std::uint8_t first;
  std::uint8_t last;
  std::uint8_t zero;   // stands for 0 in the upper bits
  std::uint8_t bytes;  // behind the first
};
constexpr std::uint8_t kLongInFourBytes = 0x59;
constexpr std::array kHessian2Integers{Form{0x80, 0xbf, 0x90, 0}, Form{0xc0, 0xcf, 0xc8, 1},
                                       Form{0xd0, 0xd7, 0xd4, 2}, Form{0xd8, 0xef, 0xe0, 0},
                                       Form{0xf0, 0xff, 0xf8, 1}, Form{0x38, 0x3f, 0x3c, 2}};
// As in com.alibaba.fastjson2.JSONB.
constexpr std::array kJsonbIntegers{Form{0x00, 0x2f, 0x00, 0}, Form{0x30, 0x3f, 0x38, 1},
                                    Form{0x40, 0x47, 0x44, 2}, Form{0xd8, 0xef, 0xe0, 0},
                                    Form{0xc8, 0xd7, 0xd0, 1}, Form{0xc0, 0xc7, 0xc4, 2}};

template <std::size_t size>
bool read_compact(const std::array<Form, size>& forms, const std::uint8_t*& at,
                  const std::uint8_t* end, std::int64_t& value) {
  for (const Form& form : forms) {
    if (*at < form.first || *at > form.last) continue;
    if (end - at <= form.bytes) return false;
    value = *at - form.zero;
    ++at;
    for (int i = 0; i < form.bytes; ++i) value = value * 0x100 + *at++;
    return true;
  }
  return false;
}

// A whole number in `size` bytes behind the first one.
bool read_plain(std::size_t size, const std::uint8_t*& at, const std::uint8_t* end,
                std::int64_t& value) {
  if (static_cast<std::size_t>(end - at) <= size) return false;
  value = load_signed(at + 1, size);
  at += 1 + size;
  return true;
}

bool read_hessian2_integer(const std::uint8_t*& at, const std::uint8_t* end, std::int64_t& value) {
  if (*at == 'I' || *at == kLongInFourBytes) return read_plain(4, at, end, value);
  if (*at == 'L') return read_plain(8, at, end, value);
  return read_compact(kHessian2Integers, at, end, value);
}

bool read_hessian2_double(const std::uint8_t*& at, const std::uint8_t* end, double& value) {
  constexpr std::uint8_t kZero = 0x5b;
  constexpr std::uint8_t kOne = 0x5c;
  constexpr std::uint8_t kByte = 0x5d;
  constexpr std::uint8_t kShort = 0x5e;
  constexpr std::uint8_t kThousandths = 0x5f;
  std::int64_t whole = 0;
  switch (*at) {
    case kZero:
    case kOne:
      value = *at++ - kZero;
      return true;
    case kByte:
    case kShort:
      if (!read_plain(*at == kByte ? 1 : 2, at, end, whole)) return false;
      value = static_cast<double>(whole);
      return true;
    case kThousandths:
      if (!read_plain(4, at, end, whole)) return false;
      value = static_cast<double>(whole) * 0.001;
      return true;
    case 'D':
      if (!read_plain(8, at, end, whole)) return false;
      value = std::bit_cast<double>(whole);
      return true;
    default:
      return false;
  }
}

}  // namespace

bool Hessian2Reader::next_is_integer() const {
  const int tag = peek();
  if (tag == 'I' || tag == 'L' || tag == kLongInFourBytes) return true;
  return std::ranges::any_of(
      kHessian2Integers, [tag](const Form& form) { return tag >= form.first && tag <= form.last; });
}

bool Hessian2Reader::read_number(std::string_view& text, TextArena& arena) {
  if (at_ == end_) return refuse("body ends where a value is expected");
  if (take('T')) return text = write_word("true", arena), true;
  if (take('F')) return text = write_word("false", arena), true;
  std::int64_t whole = 0;
  if (read_hessian2_integer(at_, end_, whole)) return text = write_integer(whole, arena), true;
  double real = 0;
  if (!read_hessian2_double(at_, end_, real)) return refuse("expected a number");
  if (!is_written_plainly(real)) return refuse("expected a number without an exponent");
  text = write_double(real, arena);
  return true;
}

bool JsonbReader::read_number(std::string_view& text, TextArena& arena) {
  constexpr std::uint8_t kFalse = 0xb0;
  constexpr std::uint8_t kTrue = 0xb1;
  constexpr std::uint8_t kShort = 0xbc;
  constexpr std::uint8_t kByte = 0xbd;
  constexpr std::uint8_t kLong = 0xbe;
  constexpr std::uint8_t kJsonbLongInFourBytes = 0xbf;
  constexpr std::uint8_t kInt = 0x48;
  constexpr std::uint8_t kNegative = 0xf0;  // and above: ints from -16
  if (at_ == end_) return refuse("document ends where a value is expected");
  if (take(kTrue)) return text = write_word("true", arena), true;
  if (take(kFalse)) return text = write_word("false", arena), true;
  std::int64_t value = 0;
  bool is_read = false;
  if (*at_ >= kNegative) {
    value = std::int64_t{*at_++} - 0x100;
    is_read = true;
  } else if (*at_ == kByte) {
    is_read = read_plain(1, at_, end_, value);
  } else if (*at_ == kShort) {
    is_read = read_plain(2, at_, end_, value);
  } else if (*at_ == kInt || *at_ == kJsonbLongInFourBytes) {
    is_read = read_plain(4, at_, end_, value);
  } else if (*at_ == kLong) {
    is_read = read_plain(8, at_, end_, value);
  } else {
    is_read = read_compact(kJsonbIntegers, at_, end_, value);
  }
  if (!is_read) return refuse("expected a whole number");
  text = write_integer(value, arena);
  return true;
}

}  // namespace skiff::dubbo
