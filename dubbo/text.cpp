#include "dubbo/text.h"

namespace skiff::dubbo {
namespace {

constexpr std::uint32_t kReplacement = 0xfffd;
constexpr std::uint32_t kNone = 0xffffffff;

constexpr bool is_high_surrogate(std::uint32_t c) { return c >= 0xd800 && c < 0xdc00; }
constexpr bool is_low_surrogate(std::uint32_t c) { return c >= 0xdc00 && c < 0xe000; }
constexpr std::uint32_t join_surrogates(std::uint32_t high, std::uint32_t low) {
  return 0x10000 + ((high - 0xd800) << 10U) + (low - 0xdc00);
}

std::uint32_t byte_at(std::string_view text, std::size_t i) {
  return static_cast<unsigned char>(text[i]);
}

// The value of a sequence of `size` bytes with the lead's own bits in `bits`; kNone where a byte is
// missing or no continuation.
std::uint32_t sequence_value(std::string_view text, std::size_t size, std::uint32_t bits) {
  if (text.size() < size) return kNone;
  for (std::size_t i = 1; i < size; ++i) {
    const std::uint32_t byte = byte_at(text, i);
    if ((byte & 0xc0U) != 0x80) return kNone;
    bits = bits << 6U | (byte & 0x3fU);
  }
  return bits;
}

// A 3-byte value, surrogates among them; kNone where there is none.
std::uint32_t three_byte_value(std::string_view text) {
  if (text.empty() || (byte_at(text, 0) & 0xf0U) != 0xe0) return kNone;
  const std::uint32_t value = sequence_value(text, 3, byte_at(text, 0) & 0x0fU);
  return value == kNone || value < 0x800 ? kNone : value;
}

struct Decoded {
  std::uint32_t code_point = kReplacement;
  std::size_t size = 1;
  bool is_plain = false;  // as UTF-8 has it, none of Java's ways
};

Decoded decode_three_bytes(std::string_view text) {
  const std::uint32_t value = three_byte_value(text);
  if (value == kNone) return {};
  if (is_high_surrogate(value)) {
    const std::uint32_t low = three_byte_value(text.substr(3));
    if (low != kNone && is_low_surrogate(low)) return {join_surrogates(value, low), 6, false};
  }
  if (is_high_surrogate(value) || is_low_surrogate(value)) return {kReplacement, 3, false};
  return {value, 3, true};
}

Decoded decode(std::string_view text) {
  const std::uint32_t lead = byte_at(text, 0);
  if (lead < 0x80) return {lead, 1, true};
  if (lead >= 0xc0 && lead < 0xe0) {
    const std::uint32_t value = sequence_value(text, 2, lead & 0x1fU);
    if (value == 0) return {0, 2, false};
    return value == kNone || value < 0x80 ? Decoded{} : Decoded{value, 2, true};
  }
  if (lead >= 0xe0 && lead < 0xf0) return decode_three_bytes(text);
  if (lead >= 0xf0 && lead < 0xf8) {
    const std::uint32_t value = sequence_value(text, 4, lead & 0x07U);
    return value == kNone || value < 0x10000 || value > 0x10ffff ? Decoded{}
                                                                 : Decoded{value, 4, true};
  }
  return {};
}

bool is_plain_utf8(std::string_view text) {
  if (is_ascii(text)) return true;
  while (!text.empty()) {
    const Decoded decoded = decode(text);
    if (!decoded.is_plain) return false;
    text.remove_prefix(decoded.size);
  }
  return true;
}

}  // namespace

std::string& TextArena::next() {
  if (used_ == texts_.size()) texts_.emplace_back();
  std::string& text = texts_[used_++];
  text.clear();
  return text;
}

void TextArena::reuse() {
  for (std::size_t i = 0; i < used_; ++i) {
    if (texts_[i].capacity() > kMaxKeptBytes) std::string().swap(texts_[i]);
  }
  if (texts_.size() > kMaxKeptTexts) texts_.resize(kMaxKeptTexts);
  used_ = 0;
}

void append_utf8(std::uint32_t code_point, std::string& out) {
  if (code_point > 0x10ffff || is_high_surrogate(code_point) || is_low_surrogate(code_point)) {
    code_point = kReplacement;
  }
  const auto continuation = [code_point](unsigned shift) {
    return static_cast<char>(0x80U | ((code_point >> shift) & 0x3fU));
  };
  if (code_point < 0x80) {
    out += static_cast<char>(code_point);
  } else if (code_point < 0x800) {
    out += static_cast<char>(0xc0U | code_point >> 6U);
    out += continuation(0);
  } else if (code_point < 0x10000) {
    out += static_cast<char>(0xe0U | code_point >> 12U);
    out += continuation(6);
    out += continuation(0);
  } else {
    out += static_cast<char>(0xf0U | code_point >> 18U);
    out += continuation(12);
    out += continuation(6);
    out += continuation(0);
  }
}

std::uint32_t take_character(std::string_view& text) {
  const Decoded decoded = decode(text);
  text.remove_prefix(decoded.size);
  return decoded.code_point;
}

std::size_t utf16_size(std::string_view text) {
  std::size_t units = 0;
  while (!text.empty()) units += take_character(text) >= 0x10000 ? 2 : 1;
  return units;
}

std::string_view to_utf8(std::string_view text, TextArena& arena) {
  if (is_plain_utf8(text)) return text;
  std::string& converted = arena.next();
  while (!text.empty()) append_utf8(take_character(text), converted);
  return converted;
}

std::string_view latin1_to_utf8(std::string_view text, TextArena& arena) {
  if (is_ascii(text)) return text;
  std::string& converted = arena.next();
  for (const char c : text) append_utf8(static_cast<unsigned char>(c), converted);
  return converted;
}

std::string_view utf16_to_utf8(Bytes bytes, ByteOrder order, TextArena& arena) {
  const std::size_t high_at = order == ByteOrder::kBig ? 0 : 1;
  const auto unit_at = [bytes, high_at](std::size_t i) {
    return std::to_integer<std::uint32_t>(bytes[i + high_at]) << 8U |
           std::to_integer<std::uint32_t>(bytes[i + 1 - high_at]);
  };
  std::string& converted = arena.next();
  std::size_t i = 0;
  while (bytes.size() - i >= 2) {
    std::uint32_t c = unit_at(i);
    i += 2;
    if (is_high_surrogate(c) && bytes.size() - i >= 2 && is_low_surrogate(unit_at(i))) {
      c = join_surrogates(c, unit_at(i));
      i += 2;
    }
    append_utf8(c, converted);
  }
  if (i < bytes.size()) append_utf8(kReplacement, converted);
  return converted;
}

}  // namespace skiff::dubbo
