#include "dubbo/utf16_units.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace skiff::dubbo {
namespace {

// How far `units` reach in `text`; -1 where they do not fit. The bytes are copied, so that
// sanitizers see every read behind their end.
std::ptrdiff_t skip(std::string_view text, std::size_t units) {
  std::vector<std::uint8_t> bytes = {'x'};
  bytes.insert(bytes.end(), text.begin(), text.end());
  const std::uint8_t* const begin = bytes.data() + 1;
  const std::uint8_t* const end = skip_utf16_units(begin, begin + text.size(), units);
  return end == nullptr ? -1 : end - begin;
}

TEST(Utf16Units, CountCharactersOfEachLength) {
  EXPECT_EQ(skip("", 0), 0);
  EXPECT_EQ(skip("abc", 2), 2);
  EXPECT_EQ(skip("\xc3\xbc-", 1), 2);
  EXPECT_EQ(skip("\xe4\xb8\xad-", 1), 3);
  EXPECT_EQ(skip("\xf0\x9f\x98\x80-", 2), 4);          // one 4-byte sequence
  EXPECT_EQ(skip("\xed\xa0\xbd\xed\xb8\x80-", 2), 6);  // two surrogates
  EXPECT_EQ(skip("\xed\xa0\xbd\xed\xb8\x80-", 1), 3);  // a chunk may end between them
}

TEST(Utf16Units, DoNotTakeAnIntBehindTheTextForItsContinuation) {
  EXPECT_EQ(skip("a\x90", 1), 1);
  EXPECT_EQ(skip("\xe4\xb8\xad\x90\x91", 1), 3);
  EXPECT_EQ(skip(std::string(32, 'a') + "\x90", 32), 32);
}

TEST(Utf16Units, RunOut) {
  EXPECT_EQ(skip("", 1), -1);
  EXPECT_EQ(skip("abc", 4), -1);
  EXPECT_EQ(skip("\xe4\xb8", 1), -1);
  EXPECT_EQ(skip("\xf0\x9f\x98", 2), -1);
  EXPECT_EQ(skip("\xf0\x9f\x98\x80", 1), -1);  // half of a character
  EXPECT_EQ(skip(std::string(100, 'a'), 101), -1);
}

// What follows chooses between the ways that a text is counted, but must not change the result,
// even where the bytes are no text (found by fuzzing).
TEST(Utf16Units, DoNotDependOnWhatFollows) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  const std::string_view some_bytes = "a\x80\xbf\xc3\xe4\xed\xf0\xff";
  for (int round = 0; round < 5000; ++round) {
    std::string text;
    for (std::size_t size = random() % 200; size > 0; --size) {
      text += some_bytes[random() % some_bytes.size()];
    }
    const std::size_t units = random() % 200;
    const std::ptrdiff_t end = skip(text, units);
    if (end < 0) continue;
    ASSERT_EQ(skip(std::string_view(text).substr(0, static_cast<std::size_t>(end)), units), end);
    ASSERT_EQ(skip(text + std::string(64, '\xf0'), units), end);
    ASSERT_EQ(skip(text + std::string(64, 'a'), units), end);
  }
}

// Bytes that are no text must not be worth more units than asked for (sixteen first bytes of 4-byte
// sequences in one block are worth 32).
TEST(Utf16Units, SurviveBytesThatAreNoText) {
  EXPECT_EQ(skip(std::string(64, '\xf0'), 64), 35);
  EXPECT_EQ(skip(std::string(64, '\xf0'), 63), -1);
  EXPECT_EQ(skip(std::string(1000, '\x80'), 5), -1);
  EXPECT_EQ(skip(std::string(1000, '\xff'), 1000), 503);
}

struct Sample {
  std::string_view bytes;
  std::size_t units;
};
constexpr std::array<Sample, 5> kSamples = {{{"a", 1},
                                             {"\xc3\xbc", 1},
                                             {"\xe4\xb8\xad", 1},
                                             {"\xf0\x9f\x98\x80", 2},
                                             {"\xed\xa0\xbd\xed\xb8\x80", 2}}};

// Long texts of all kinds take the vectorised way.
TEST(Utf16Units, AreCountedRightlyInLongMixedTexts) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (int round = 0; round < 2000; ++round) {
    std::string text;
    std::size_t units = 0;
    const std::size_t kinds = 1 + random() % std::size(kSamples);
    const std::size_t characters = random() % (round % 10 == 0 ? 5000 : 100);
    for (std::size_t i = 0; i < characters; ++i) {
      const Sample& sample = kSamples[random() % kinds];
      text += sample.bytes;
      units += sample.units;
    }
    const auto expected = static_cast<std::ptrdiff_t>(text.size());
    ASSERT_EQ(skip(text, units), expected);
    text.append(random() % 40, round % 2 == 0 ? 'x' : '\x90');
    ASSERT_EQ(skip(text, units), expected);
  }
}

}  // namespace
}  // namespace skiff::dubbo
