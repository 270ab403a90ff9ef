#include "governance/matching/pattern.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace skiff::governance {
namespace {

struct Row {
  std::string pattern;
  std::vector<std::string> matched;
  std::vector<std::string> not_matched;
};

TEST(Pattern, StandsForWholeTexts) {
  const std::vector<Row> rows = {
      {"", {""}, {"a"}},
      {"abc", {"abc"}, {"ab", "abcd", "xabc", ""}},
      {"a.c",
       {"abc",
        "a\xE4\xB8\xAD"
        "c"},
       {"ac", "a\nc"}},
      {".*", {"", "anything"}, {"two\nlines"}},
      {"say.*", {"say", "sayHello"}, {"xsay"}},
      {"a|bc|", {"a", "bc", ""}, {"b", "abc"}},
      {"(ab|c)+d", {"abd", "cd", "abcabd"}, {"d", "abc"}},
      {"(?:ab)?c", {"c", "abc"}, {"ababc"}},
      {"(?<name>ab)c", {"abc"}, {"c"}},
      {"[a-c_]*x", {"x", "abc_x"}, {"dx"}},
      {"[^a-c]", {"d", "\xE4\xB8\xAD"}, {"a", "dd", ""}},
      {"[]a]", {"]", "a"}, {"b"}},
      {"[a-]", {"a", "-"}, {"b"}},
      {"[\\d.]+", {"1.2"}, {"a"}},
      {"\\d{2,3}", {"12", "123"}, {"1", "1234", "ab"}},
      {"\\w{2}", {"a_"}, {"a", "a-"}},
      {"a{2,}", {"aa", "aaaaa"}, {"a"}},
      {"a{0}b", {"b"}, {"ab"}},
      {R"(\S+\s\S+)", {"a b"}, {"ab"}},
      {R"(a\.b\\)", {"a.b\\"}, {"axb\\"}},
      {"^a$", {"a"}, {"aa"}},
      {"(^a|b)*", {"a", "ab", "bb"}, {"ba"}},
      {"a*?b+?", {"b", "aab"}, {"a"}},
      {"(a*)*", {"", "aaa"}, {"b"}},
      {"(?i)say[a-c]", {"SAYa", "sayB"}, {"sayd"}},
  };
  for (const Row& row : rows) {
    const auto pattern = Pattern::compile(row.pattern);
    ASSERT_TRUE(pattern.has_value()) << row.pattern << ": " << pattern.error().message;
    for (const auto& text : row.matched) EXPECT_TRUE(pattern->matches(text)) << row.pattern << text;
    for (const auto& text : row.not_matched) {
      EXPECT_FALSE(pattern->matches(text)) << row.pattern << ' ' << text;
    }
  }
}

TEST(Pattern, SaysWhatItDoesNotRead) {
  const std::vector<std::pair<std::string, std::string>> rows = {
      {"(a)\\1", "\\1 is not supported"},
      {"a(?=b)", "a group that starts with '(?' is not supported"},
      {"(?<!b)a", "a group that starts with '(?' is not supported"},
      {"a++", "a possessive quantifier is not supported"},
      {"\\bword", "\\b is not supported"},
      {"\\p{L}", "\\p is not supported"},
      {"[a[b]]", "a class in a class is not supported"},
      {"[\\D]", R"(\D, \W or \S in a class is not supported)"},
      {"[a", "']' is missing"},
      {"(a", "')' is missing"},
      {"a)", "')' that closes nothing"},
      {"*a", "nothing before it to repeat"},
      {"a**", "nothing before it to repeat"},
      {"a{x}", "expected a number behind '{'"},
      {"a{2", "'}' is missing"},
      {"a{3,2}", "the larger number stands first"},
      {"[z-a]", "a range of characters whose end is none"},
      {"a\\", "a backslash at its end"},
      {"(){18446744073709551615}", "more repetitions than 512"},
      {"((a{100}){100}){100}", "of over 512 states"},
  };
  for (const auto& [text, message] : rows) {
    const auto pattern = Pattern::compile(text);
    ASSERT_FALSE(pattern.has_value()) << text;
    EXPECT_THAT(pattern.error().message, testing::HasSubstr(message)) << text;
  }
}

TEST(Pattern, RefusesTextsAndNestingOverItsLimits) {
  EXPECT_FALSE(Pattern::compile(std::string(257, 'a')).has_value());
  EXPECT_FALSE(Pattern::compile(std::string(100, '(') + std::string(100, ')')).has_value());
  const auto any = Pattern::compile(".*").value();
  EXPECT_TRUE(any.matches(std::string(1024, 'a')));
  EXPECT_FALSE(any.matches(std::string(1025, 'a')));
}

TEST(Pattern, IsNotSlowWhereBacktrackingWouldBe) {
  const auto pattern = Pattern::compile("(a*)*(a|a)*(a?){100}b").value();
  EXPECT_FALSE(pattern.matches(std::string(1024, 'a')));
}

}  // namespace
}  // namespace skiff::governance
