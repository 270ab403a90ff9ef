#include "registry/application/md5.h"

#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace skiff::registry {
namespace {

constexpr std::size_t kBlockBytes = 64;
constexpr std::size_t kSteps = 64;

using State = std::array<std::uint32_t, 4>;

// RFC 1321, 3.4: the integer part of 2^32 times abs(sin(i)), i from 1.
std::array<std::uint32_t, kSteps> make_sines() {
  constexpr double kTwoTo32 = 4294967296.0;
  std::array<std::uint32_t, kSteps> sines{};
  for (std::size_t i = 0; i < kSteps; ++i) {
    sines[i] =
        static_cast<std::uint32_t>(std::fabs(std::sin(static_cast<double>(i + 1))) * kTwoTo32);
  }
  return sines;
}

std::uint32_t little_endian_word(const char* bytes) {
  std::uint32_t word = 0;
  for (int i = 3; i >= 0; --i) word = word << 8U | static_cast<unsigned char>(bytes[i]);
  return word;
}

void add_block(const char* block, State& state) {
  static const auto sines = make_sines();
  constexpr std::array<std::array<int, 4>, 4> kShifts = {
      {{7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}}};
  auto [a, b, c, d] = state;
  for (std::size_t i = 0; i < kSteps; ++i) {
    const std::size_t round = i / 16;
    std::uint32_t mixed = 0;
    std::size_t word = 0;
    switch (round) {
      case 0:
        mixed = (b & c) | (~b & d);
        word = i;
        break;
      case 1:
        mixed = (b & d) | (c & ~d);
        word = (5 * i + 1) % 16;
        break;
      case 2:
        mixed = b ^ c ^ d;
        word = (3 * i + 5) % 16;
        break;
      default:
        mixed = c ^ (b | ~d);
        word = 7 * i % 16;
        break;
    }
    const std::uint32_t sum = a + mixed + little_endian_word(block + 4 * word) + sines[i];
    a = d;
    d = c;
    c = b;
    b += std::rotl(sum, kShifts[round][i % 4]);
  }
  state = {state[0] + a, state[1] + b, state[2] + c, state[3] + d};
}

}  // namespace

std::string md5_hex(std::string_view text) {
  State state = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};
  const std::uint64_t bits = std::uint64_t{text.size()} * 8;
  while (text.size() >= kBlockBytes) {
    add_block(text.data(), state);
    text.remove_prefix(kBlockBytes);
  }
  // What is left, a one bit, zeros, and the length in bits: one block or two.
  std::string last(text);
  last += '\x80';
  while (last.size() % kBlockBytes != kBlockBytes - sizeof(bits)) last += '\0';
  for (std::size_t i = 0; i < sizeof(bits); ++i) last += static_cast<char>(bits >> (8 * i) & 0xffU);
  for (std::size_t i = 0; i < last.size(); i += kBlockBytes) add_block(last.data() + i, state);

  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string digits;
  for (const std::uint32_t word : state) {
    for (unsigned shift = 0; shift < 32; shift += 8) {
      digits += kDigits[word >> (shift + 4) & 0xfU];
      digits += kDigits[word >> shift & 0xfU];
    }
  }
  return digits;
}

}  // namespace skiff::registry
