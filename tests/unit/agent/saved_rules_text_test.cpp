#include "agent/saved_rules_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace skiff::agent {
namespace {

using registry::RuleSubject;
using registry::SavedRules;
using testing::IsEmpty;
using testing::SizeIs;

const RuleSubject kUrls = RuleSubject::urls_of("com.example.Demo");
const RuleSubject kDocuments = RuleSubject::documents_of("com.example.Demo::");

TEST(SavedRulesText, HoldsEverything) {
  const std::vector<SavedRules> rules = {
      {"memory", kUrls, {{"condition://a?rule=\"x\" => \xff", "override://b?c=%20+d"}, {}}},
      {"zookeeper://10.0.0.1:2181/dubbo",
       kDocuments,
       {{}, {{"com.example.Demo::.condition-router", "force: true\nkey: \"\u00e4\"\n"}}}}};
  const auto read = parse_saved_rules(to_text(rules));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(*read, rules);
  EXPECT_THAT(*parse_saved_rules(to_text(std::vector<SavedRules>())), IsEmpty());
}

TEST(SavedRulesText, LeavesOutWhatItDoesNotKnow) {
  const auto read = parse_saved_rules(
      R"({"new":1,"rules":[{"registry":"memory","interface":"a","urls":["%zz","override"],"x":2}]})");
  ASSERT_TRUE(read);
  ASSERT_THAT(*read, SizeIs(1));
  EXPECT_THAT(read->front().texts.urls, testing::ElementsAre("override"));
}

TEST(SavedRulesText, IsRefusedWhereItIsNotAsExpected) {
  for (const char* text : {"", "[]", "{}", R"({"rules":[1]})", R"({"rules":[{"registry":"m"}]})",
                           R"({"rules":[{"registry":"m","interface":"a","urls":[1]}]})",
                           R"({"rules":[{"registry":"m","subject":"a","documents":[]}]})"}) {
    const auto read = parse_saved_rules(text);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().code, ErrorCode::kMalformed) << text;
  }
}

}  // namespace
}  // namespace skiff::agent
