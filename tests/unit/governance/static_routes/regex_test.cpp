#include "governance/static_routes/regex.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <initializer_list>
#include <string>

namespace skiff::governance {
namespace {

using ::testing::HasSubstr;

struct Example {
  const char* pattern = nullptr;
  std::initializer_list<const char*> matching;
  std::initializer_list<const char*> others;
};

TEST(Regex, MatchesWholeTexts) {
  for (const auto& [pattern, matching, others] : std::initializer_list<Example>{
           {"", {""}, {"a"}},
           {"abc", {"abc"}, {"ab", "abcd", "xabc", ""}},
           {"^abc$", {"abc"}, {"^abc$", "ab"}},
           {R"(a\$)", {"a$"}, {"a"}},
           {R"(a\\$)", {R"(a\)"}, {"a"}},
           {"a|b|cd", {"a", "b", "cd"}, {"ab", "c", ""}},
           {"a|", {"a", ""}, {"b"}},
           {"a*", {"", "a", "aaaa"}, {"b", "ab"}},
           {"a+b?", {"a", "ab", "aaab"}, {"", "b", "abb"}},
           {"(ab)+", {"ab", "abab"}, {"", "aba"}},
           {"(?:ab|c)*d", {"d", "abd", "cabd"}, {"ab", "ad"}},
           {"(a*)*", {"", "aaa"}, {"b"}},
           {"(a|b?)+c", {"c", "abc"}, {"ab"}},
           {"a{3}", {"aaa"}, {"aa", "aaaa"}},
           {"a{2,}", {"aa", "aaaaa"}, {"a", ""}},
           {"a{0,2}b", {"b", "ab", "aab"}, {"aaab"}},
           {"a{0}b", {"b"}, {"ab"}},
           {"a{0,}", {"", "aa"}, {"b"}},
           {"(ab){1,2}", {"ab", "abab"}, {"", "ababab"}},
           {"a.*?z", {"az", "abcz"}, {"a", "za"}},
           {R"(\d+\.\d+)", {"1.0", "12.34"}, {"1x0", "1."}},
           {R"(\w+\s\S)", {"a_1 x"}, {"a_1x", "a  "}},
           {R"([^\D]+)", {"12"}, {"a", "é"}},
           {"[a-c]+", {"abc"}, {"d", ""}},
           {"[]a-]+", {"]a-"}, {"b"}},
           {"[^a-c]", {"d", "é", "中", "😀"}, {"a", "", "dd", "éé"}},
           {R"([\d\-x]*)", {"1-x"}, {"y"}},
           {"...", {"abc", "aéb", "中文字"}, {"ab", "中文"}},
           {"é+x", {"éx", "ééx"}, {"x", "é"}},
           {"com\\.example\\.(Demo|Echo)Service",
            {"com.example.DemoService", "com.example.EchoService"},
            {"com.example.Service", "comxexample.DemoService"}},
       }) {
    const auto regex = Regex::compile(pattern);
    ASSERT_TRUE(regex) << pattern << ": " << regex.error().message;
    for (const char* text : matching) EXPECT_TRUE(regex->matches(text)) << pattern << " " << text;
    for (const char* text : others) EXPECT_FALSE(regex->matches(text)) << pattern << " " << text;
  }
}

TEST(Regex, RefusesWhatItCannotReadAndSaysWhat) {
  struct Wrong {
    const char* pattern = nullptr;
    const char* named = nullptr;
  };
  for (const auto& [pattern, named] : std::initializer_list<Wrong>{
           {"(", "without its )"},
           {"(a", "without its )"},
           {"a)", "without its ("},
           {"[a", "without its ]"},
           {"[z-a]", "range"},
           {"a\\", "\\ at the end"},
           {"*a", "a *"},
           {"a**", "two repetitions"},
           {"a{", "{m}"},
           {"a{2,1}", "{m,n}"},
           {"a{256}", "255"},
           {"a{99999999999999999999}", "255"},
           {"(?=a)", "(?"},
           {"(?i)a", "(?"},
           {R"((a)\1)", R"(\1)"},
           {R"(\bword)", R"(\b)"},
           {R"(\p{L})", R"(\p)"},
           {"[é]", "only ASCII"},
           {"[a&&b]", "only ASCII"},
           {"a^b", "a ^"},
           {"a$b", "a $"},
       }) {
    const auto regex = Regex::compile(pattern);
    ASSERT_FALSE(regex) << pattern;
    EXPECT_THAT(regex.error().message, HasSubstr(named)) << pattern;
  }
}

TEST(Regex, HasLimitsForWhatAPatternCosts) {
  EXPECT_EQ(Regex::compile(std::string(257, 'a')).error().code, ErrorCode::kTooLarge);
  EXPECT_TRUE(Regex::compile(std::string(256, 'a')));
  EXPECT_EQ(Regex::compile("a{200}b{200}").error().code, ErrorCode::kTooLarge);
  EXPECT_EQ(Regex::compile("(((){255}){255}){255}").error().code, ErrorCode::kTooLarge);
  EXPECT_EQ(Regex::compile(std::string(100, '(') + std::string(100, ')')).error().code,
            ErrorCode::kTooLarge);
}

TEST(Regex, TakesLinearTimeWhereOthersGoBack) {
  const auto regex = Regex::compile("(a*)*(a|aa)+b");
  ASSERT_TRUE(regex);
  EXPECT_FALSE(regex->matches(std::string(kMaxRegexTextBytes, 'a')));
  EXPECT_TRUE(regex->matches(std::string(kMaxRegexTextBytes - 1, 'a') + "b"));
}

TEST(Regex, MatchesNoTextThatIsTooLong) {
  const auto regex = Regex::compile(".*");
  EXPECT_TRUE(regex->matches(std::string(kMaxRegexTextBytes, 'a')));
  EXPECT_FALSE(regex->matches(std::string(kMaxRegexTextBytes + 1, 'a')));
}

}  // namespace
}  // namespace skiff::governance
