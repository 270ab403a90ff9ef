#include "dubbo/text.h"

#include <gtest/gtest.h>

#include <string>

#include "dubbo/recorded_frames.h"
#include "dubbo/text_writers.h"

namespace skiff::dubbo {
namespace {

using testing::bytes_of;
constexpr const char* kReplacement = "\xef\xbf\xbd";
constexpr const char* kEmoji = "\xf0\x9f\x98\x80";

TEST(Text, StaysWhereItIsIfItIsUtf8) {
  TextArena arena;
  const std::string text = "a\xc3\xbc\xe4\xb8\xad\xf0\x9f\x98\x80";
  EXPECT_EQ(to_utf8(text, arena).data(), text.data());
}

TEST(Text, IsConvertedFromJavasWays) {
  TextArena arena;
  EXPECT_EQ(to_utf8("\xed\xa0\xbd\xed\xb8\x80", arena), kEmoji);
  EXPECT_EQ(to_utf8("a\xc0\x80z", arena), std::string_view("a\0z", 3));
}

TEST(Text, HasAReplacementForWhatIsNoCharacter) {
  TextArena arena;
  EXPECT_EQ(to_utf8("\x80", arena), kReplacement);
  EXPECT_EQ(to_utf8("\xff", arena), kReplacement);
  EXPECT_EQ(to_utf8("\xc1\x81", arena), std::string(kReplacement) + kReplacement);  // over-long
  EXPECT_EQ(to_utf8("\xed\xa0\xbd!", arena), std::string(kReplacement) + "!");      // lone half
  EXPECT_EQ(to_utf8("\xed\xb8\x80", arena), kReplacement);
  EXPECT_EQ(to_utf8("\xe4\xb8", arena), std::string(kReplacement) + kReplacement);
  EXPECT_EQ(to_utf8("\xf4\x90\x80\x80", arena).substr(0, 3), kReplacement);  // over 10ffff
}

TEST(Text, IsConvertedFromLatin1AndUtf16) {
  TextArena arena;
  EXPECT_EQ(latin1_to_utf8("a\xfc", arena), "a\xc3\xbc");
  EXPECT_EQ(utf16_to_utf8(bytes_of("2d4e 3dd8 00de"), ByteOrder::kLittle, arena),
            std::string("\xe4\xb8\xad") + kEmoji);
  EXPECT_EQ(utf16_to_utf8(bytes_of("4e2d d83d de00"), ByteOrder::kBig, arena),
            std::string("\xe4\xb8\xad") + kEmoji);
  EXPECT_EQ(utf16_to_utf8(bytes_of("3dd8 61"), ByteOrder::kLittle, arena),
            std::string(kReplacement) + kReplacement);
}

TEST(Text, IsAsciiOnlyWithoutHighBits) {
  for (std::size_t size = 0; size < 40; ++size) {
    const std::string text(size, 'a');
    EXPECT_TRUE(is_ascii(text));
    for (std::size_t i = 0; i < size; ++i) {
      std::string other = text;
      other[i] = '\x80';
      EXPECT_FALSE(is_ascii(other)) << size << ' ' << i;
    }
  }
}

TEST(TextArena, KeepsTextsWhereTheyAreUntilCleared) {
  TextArena arena;
  std::string& first = arena.next();
  first = "first";
  const char* const at = first.data();
  for (int i = 0; i < 1000; ++i) arena.next() = std::string(100, 'x');
  EXPECT_EQ(first, "first");
  EXPECT_EQ(first.data(), at);
  arena.clear();
  EXPECT_TRUE(arena.next().empty());
}

std::string written(void (*append)(std::string_view, std::string&), std::string_view text) {
  std::string out;
  append(text, out);
  return out;
}

TEST(Hessian2Writer, ChoosesTheShortestLength) {
  EXPECT_EQ(written(append_hessian2_string, ""), std::string_view("\0", 1));
  EXPECT_EQ(written(append_hessian2_string, std::string(31, 'a')), "\x1f" + std::string(31, 'a'));
  EXPECT_EQ(written(append_hessian2_string, std::string(32, 'a')), "0 " + std::string(32, 'a'));
  EXPECT_EQ(written(append_hessian2_string, std::string(1023, 'a')),
            "3\xff" + std::string(1023, 'a'));
  EXPECT_EQ(written(append_hessian2_string, std::string(1024, 'a')),
            std::string("S\x04\0", 3) + std::string(1024, 'a'));
}

TEST(Hessian2Writer, CountsAndWritesSupplementaryCharactersAsPairs) {
  EXPECT_EQ(written(append_hessian2_string, kEmoji), "\x02\xed\xa0\xbd\xed\xb8\x80");
}

TEST(Hessian2Writer, CutsWhatNoLengthCanSay) {
  const std::string text = written(append_hessian2_string, std::string(65534, 'a') + kEmoji + "b");
  EXPECT_EQ(text.substr(0, 3), "S\xff\xff");
  EXPECT_EQ(text.substr(text.size() - 7), std::string("aaaa") + kReplacement);
}

TEST(JsonbWriter, WritesAsciiAndUtf8) {
  EXPECT_EQ(written(append_jsonb_string, "R"), "\x4aR");
  EXPECT_EQ(written(append_jsonb_string, std::string(47, 'a')), "\x78" + std::string(47, 'a'));
  EXPECT_EQ(written(append_jsonb_string, std::string(48, 'a')),
            "\x79\x38\x30" + std::string(48, 'a'));
  EXPECT_EQ(written(append_jsonb_string, std::string(2048, 'a')),
            std::string("\x79\x44\x08\x00", 4) + std::string(2048, 'a'));
  EXPECT_EQ(written(append_jsonb_string, std::string(262144, 'a')).substr(0, 6),
            std::string("\x79\x48\x00\x04\x00\x00", 6));
  EXPECT_EQ(written(append_jsonb_string, "\xe4\xb8\xad"), "\x7a\x03\xe4\xb8\xad");
}

TEST(JsonWriter, EscapesWhatItMust) {
  EXPECT_EQ(written(append_json_string, std::string_view("a\"\\\n\r\t\x01\0", 8)),
            R"("a\"\\\n\r\t\u0001\u0000")");
  EXPECT_EQ(written(append_json_string, kEmoji), std::string("\"") + kEmoji + "\"");
}

TEST(JavaWriter, WritesModifiedUtf8WithItsSize) {
  EXPECT_EQ(written(append_java_utf, std::string_view("a\0", 2)), std::string_view("\0\x03"
                                                                                   "a\xc0\x80",
                                                                                   5));
  EXPECT_EQ(written(append_java_utf, kEmoji),
            std::string_view("\0\x06\xed\xa0\xbd\xed\xb8\x80", 8));
  EXPECT_LE(written(append_java_utf, std::string(70000, 'a')).size(), 65537U);
}

}  // namespace
}  // namespace skiff::dubbo
