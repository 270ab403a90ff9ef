#include "dubbo/fastjson_reader.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>

namespace skiff::dubbo {
namespace {

std::optional<std::string> text_of(std::string_view line) {
  FastjsonReader reader(line);
  TextArena arena;
  std::string_view text;
  if (!reader.read_text(text, arena)) return std::nullopt;
  return std::string(text);
}

TEST(FastjsonReader, ReadsStrings) {
  EXPECT_EQ(text_of(R"("")"), "");
  EXPECT_EQ(text_of(R"( "plain" )"), "plain");
  EXPECT_EQ(text_of(R"("\"\\\/\b\f\n\r\t\'")"), "\"\\/\b\f\n\r\t'");
  EXPECT_EQ(text_of(R"("\u4e2d\uD83D\uDE00!")"), "\xe4\xb8\xad\xf0\x9f\x98\x80!");
  EXPECT_EQ(text_of("\"\\u0000\""), std::string(1, '\0'));
}

TEST(FastjsonReader, ReplacesWhatIsNoCharacter) {
  EXPECT_EQ(text_of(R"("\ud83d")"), "\xef\xbf\xbd");
  EXPECT_EQ(text_of(R"("\ud83d\u0041")"),
            "\xef\xbf\xbd"
            "A");
  EXPECT_EQ(text_of("\"\xff\""), "\xef\xbf\xbd");
}

TEST(FastjsonReader, RefusesBrokenStrings) {
  for (const char* line :
       {"", "x", "null", "\"", "\"a", R"("a\")", R"("\x")", R"("\u12")", R"("\u12g4")", R"("\)"}) {
    EXPECT_EQ(text_of(line), std::nullopt) << line;
  }
}

std::string skipped(std::string_view line) {
  FastjsonReader reader(line);
  return reader.skip_value() ? std::string(line.substr(0, reader.offset())) : "refused";
}

TEST(FastjsonReader, SkipsValuesOfAnyKind) {
  EXPECT_EQ(skipped("1.5e3,x"), "1.5e3");
  EXPECT_EQ(skipped("true}"), "true");
  EXPECT_EQ(skipped(R"({"a":[1,{"b":"}]\""}]},2)"), R"({"a":[1,{"b":"}]\""}]})");
  EXPECT_EQ(skipped("[]"), "[]");
  EXPECT_EQ(skipped(""), "refused");
  EXPECT_EQ(skipped(","), "refused");
  EXPECT_EQ(skipped("{\"a\":1"), "refused");
  EXPECT_EQ(skipped(std::string(1000000, '[')), "refused");
}

}  // namespace
}  // namespace skiff::dubbo
