#include "dubbo/utf16_units.h"

#include <algorithm>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace skiff::dubbo {
namespace {

constexpr std::size_t sequence_size(std::uint8_t lead) {
  if (lead < 0x80) return 1;
  if (lead < 0xe0) return 2;
  return lead < 0xf0 ? 3 : 4;
}

// `units` is not 0. May start within a character that is counted already.
const std::uint8_t* skip_one_by_one(const std::uint8_t* p, const std::uint8_t* end,
                                    std::size_t units) {
  for (; p != end; ++p) {
    if ((*p & 0xc0U) == 0x80) continue;
    const std::size_t worth = *p >= 0xf0 ? 2 : 1;
    if (worth > units) return nullptr;
    units -= worth;
    if (units == 0) {
      const std::size_t size = sequence_size(*p);
      return size <= static_cast<std::size_t>(end - p) ? p + size : nullptr;
    }
  }
  return nullptr;
}

#if defined(__SSE2__)

constexpr std::size_t kBlock = 16;
constexpr std::size_t kMostAtOnce = 127;  // sums are bytes, to which a block adds at most 2

__m128i load_block(const std::uint8_t* p) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
}

// Skips blocks while they are ASCII: a byte is a unit there.
void skip_ascii_blocks(const std::uint8_t*& p, std::size_t blocks, std::size_t& units) {
  const std::uint8_t* const begin = p;
  for (; blocks >= 4; blocks -= 4) {
    const __m128i merged =
        _mm_or_si128(_mm_or_si128(load_block(p), load_block(p + kBlock)),
                     _mm_or_si128(load_block(p + 2 * kBlock), load_block(p + 3 * kBlock)));
    if (_mm_movemask_epi8(merged) != 0) break;
    p += 4 * kBlock;
  }
  for (; blocks > 0 && _mm_movemask_epi8(load_block(p)) == 0; --blocks) p += kBlock;
  units -= static_cast<std::size_t>(p - begin);
}

// Units of `blocks` blocks of any text. A character counts at its first byte, so that blocks need
// not end where characters end.
std::size_t count_units(const std::uint8_t* p, std::size_t blocks) {
  const __m128i last_continuation = _mm_set1_epi8(static_cast<char>(0xbf));
  const __m128i first_of_four = _mm_set1_epi8(static_cast<char>(0xf0));
  __m128i sums = _mm_setzero_si128();
  for (std::size_t i = 0; i < blocks; ++i, p += kBlock) {
    const __m128i block = load_block(p);
    const __m128i begins = _mm_cmpgt_epi8(block, last_continuation);  // signed: 80..bf are lowest
    const __m128i begins_four = _mm_cmpeq_epi8(_mm_max_epu8(block, first_of_four), block);
    sums = _mm_sub_epi8(_mm_sub_epi8(sums, begins), begins_four);
  }
  const __m128i halves = _mm_sad_epu8(sums, _mm_setzero_si128());
  return static_cast<std::size_t>(_mm_cvtsi128_si32(halves)) +
         static_cast<std::size_t>(_mm_extract_epi16(halves, 4));
}

// Skips blocks of any text while that leaves at least one unit.
void skip_blocks(const std::uint8_t*& p, const std::uint8_t* end, std::size_t& units) {
  while (true) {
    const std::size_t blocks =
        std::min({static_cast<std::size_t>(end - p) / kBlock, (units - 1) / kBlock, kMostAtOnce});
    if (blocks == 0) return;
    const std::size_t counted = count_units(p, blocks);
    if (counted >= units) return;  // only bytes that are no text are worth so much
    p += blocks * kBlock;
    units -= counted;
  }
}

#endif

}  // namespace

const std::uint8_t* skip_utf16_units(const std::uint8_t* begin, const std::uint8_t* end,
                                     std::size_t units) {
  if (units == 0) return begin;
  const std::uint8_t* p = begin;
#if defined(__SSE2__)
  skip_ascii_blocks(p, std::min(static_cast<std::size_t>(end - p), units - 1) / kBlock, units);
  skip_blocks(p, end, units);
#endif
  return skip_one_by_one(p, end, units);
}

}  // namespace skiff::dubbo
