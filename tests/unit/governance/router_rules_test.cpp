#include "governance/router_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "governance/rule_limits.h"

namespace skiff::governance {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Outcome = Router::Outcome;

constexpr const char* kConditionKey = "a.Demo::.condition-router";
constexpr const char* kTagKey = "demo.tag-router";

class FirstAble : public Draw {
 public:
  std::size_t choose(std::span<const std::uint32_t> weights) override {
    return static_cast<std::size_t>(
        std::ranges::find_if(weights, [](std::uint32_t weight) { return weight > 0; }) -
        weights.begin());
  }
};

// The interface a.Demo as one consumer sees it.
struct Demo {
  dubbo::ConsumerIdentity consumer = {.application = "shop", .host = "10.0.0.9", .parameters = {}};
  std::vector<dubbo::Url> providers = {
      dubbo::Url::parse("dubbo://10.0.0.1:20880/a.Demo?application=demo&env=gray").value(),
      dubbo::Url::parse("dubbo://10.0.0.2:20880/a.Demo?application=demo").value()};

  Routers compile(const Result<RouterRulePtr>& rule) const {
    EXPECT_TRUE(rule) << rule.error().message;
    Routers routers;
    if (rule && *rule != nullptr) {
      (*rule)->compile({.interface = "a.Demo",
                        .group = "",
                        .version = "",
                        .providers = providers,
                        .consumer = consumer},
                       routers);
    }
    return routers;
  }
  Routers conditions(const std::string& yaml) const {
    return compile(parse_condition_rule(kConditionKey, yaml));
  }
};

std::vector<std::string> names_of(const Routers& routers) {
  std::vector<std::string> names;
  for (const auto& router : routers) names.push_back(router->name());
  return names;
}

std::string message_of(const Result<RouterRulePtr>& rule) {
  return rule ? "no error" : rule.error().message;
}

// "<item>, <item>, ..."
std::string list_of(std::size_t count, const std::string& item) {
  std::string list;
  for (std::size_t i = 0; i < count; ++i) list += (i == 0 ? "" : ", ") + item;
  return list;
}

TEST(ConditionRouter, IsNamedAfterItsDocumentAndLine) {
  const Routers routers = Demo().conditions(
      "force: true\nconditions:\n  - method=find* =>   host=10.*\n  - '=> host=10.*'\n");
  EXPECT_THAT(names_of(routers),
              ElementsAre("condition rule a.Demo::.condition-router, line 3: method=find* =>   "
                          "host=10.*",
                          "condition rule a.Demo::.condition-router, line 4: => host=10.*"));
}

TEST(ConditionRouter, OfSeveralDestinationsIsNamedAfterWhereItComesFrom) {
  const Routers routers = Demo().conditions(
      "configVersion: v3.1\nconditions:\n"
      "  - from: {match: method=find*}\n    to: [{match: env=gray}, {match: env!=gray}]\n"
      "  - to: [{match: host=10.*, weight: 7}]\n"
      "  - from: {match: host=1.*}\n");
  EXPECT_THAT(
      names_of(routers),
      ElementsAre("condition rule a.Demo::.condition-router, line 3: method=find* => 2 "
                  "destinations",
                  "condition rule a.Demo::.condition-router, line 5: all requests => host=10.*, "
                  "weight 7",
                  "condition rule a.Demo::.condition-router, line 6: host=1.* => nowhere"));
}

TEST(ConditionRouter, OfAUrlIsNamedAfterIt) {
  const auto rule = parse_router_url(
      dubbo::Url::parse("condition://0.0.0.0/a.Demo?priority=3&rule=%3D%3E+host%3D10.*").value());
  ASSERT_TRUE(rule);
  EXPECT_EQ(rule->priority, 3);
  EXPECT_THAT(names_of(Demo().compile(rule->rule)),
              ElementsAre("condition rule condition://0.0.0.0/a.Demo: => host=10.*"));
}

TEST(ConditionRouter, ConcernsTheMethodsOfItsLeftSideOnly) {
  const Routers routers =
      Demo().conditions("conditions: ['method=find*,get* & method!=getAll => host=10.*']");
  ASSERT_EQ(routers.size(), 1U);
  EXPECT_TRUE(routers[0]->concerns("findOne"));
  EXPECT_TRUE(routers[0]->concerns("getOne"));
  EXPECT_FALSE(routers[0]->concerns("getAll"));
  EXPECT_FALSE(routers[0]->concerns("save"));
  EXPECT_FALSE(routers[0]->reads_more_than_method());
}

TEST(ConditionRouter, StandsThereForAnotherConsumerAndConcernsNoMethod) {
  const Routers routers = Demo().conditions(
      "conditions: ['application=other => host=10.*', 'application=shop => host=10.*']");
  ASSERT_EQ(routers.size(), 2U);
  EXPECT_FALSE(routers[0]->concerns("find"));
  EXPECT_TRUE(routers[1]->concerns("find"));
}

TEST(ConditionRouter, ReadsMoreThanTheMethodForAttachmentsArgumentsAndDraws) {
  const Routers routers = Demo().conditions(
      "conditions: ['attachments[a]=b => host=1', 'arguments[0]=b => host=1', 'host=1 => host=1']");
  ASSERT_EQ(routers.size(), 3U);
  EXPECT_TRUE(routers[0]->reads_more_than_method());
  EXPECT_TRUE(routers[1]->reads_more_than_method());
  EXPECT_FALSE(routers[2]->reads_more_than_method());
  const Routers drawing = Demo().conditions(
      "{configVersion: v3.1, conditions: [{to: [{match: env=gray}, {match: env!=gray}]}]}");
  ASSERT_EQ(drawing.size(), 1U);
  EXPECT_TRUE(drawing[0]->reads_more_than_method());
}

TEST(ConditionRouter, SaysWhichDestinationWasDrawn) {
  const Demo demo;
  const Routers routers = demo.conditions(
      "{configVersion: v3.1, conditions: [{to: [{match: env=gray, weight: 9}, {match: ''}]}]}");
  ASSERT_EQ(routers.size(), 1U);
  FirstAble draw;
  dubbo::Attachments attachments;
  RequestView request;
  request.attachments = &attachments;
  ProviderSet providers = ProviderSet::all(demo.providers.size());
  const auto result = routers[0]->apply(request, draw, providers);
  EXPECT_EQ(result.outcome, Outcome::kNarrowed);
  EXPECT_EQ(result.detail, "env=gray, weight 9");
  EXPECT_EQ(providers.count(), 1U);
}

TEST(ConditionRouter, OutlivesItsRuleAndWhatItWasCompiledAgainst) {
  Routers routers;
  {
    const Demo demo;
    routers = demo.conditions("conditions: ['attachments[env]=gray => env=gray']");
  }
  FirstAble draw;
  dubbo::Attachments attachments;
  attachments.add("env", "gray");
  RequestView request;
  request.attachments = &attachments;
  ProviderSet providers = ProviderSet::all(2);
  EXPECT_EQ(routers.at(0)->apply(request, draw, providers).outcome, Outcome::kNarrowed);
}

TEST(TagRouter, IsNamedAfterItsDocumentAndStandsBeforeTagsOfProviders) {
  Demo demo;
  demo.providers[0].parameters["dubbo.tag"] = "gray";
  Routers routers =
      demo.compile(parse_tag_rule(kTagKey, "tags: [{name: blue, addresses: [10.0.0.2]}]"));
  const Routers others = demo.compile(static_tag_rule());
  routers.insert(routers.end(), others.begin(), others.end());
  EXPECT_THAT(names_of(routers), ElementsAre("tag rule demo.tag-router", "tags of providers"));
  EXPECT_NE(routers[0]->group(), 0U);
  EXPECT_EQ(routers[0]->group(), routers[1]->group());
}

TEST(TagRouter, SaysWhichTagDecided) {
  const Demo demo;
  const Routers routers =
      demo.compile(parse_tag_rule(kTagKey, "tags: [{name: blue, addresses: [10.0.0.2]}]"));
  ASSERT_EQ(routers.size(), 1U);
  FirstAble draw;
  dubbo::Attachments attachments;
  attachments.add("dubbo.tag", "blue|team");
  RequestView request;
  request.attachments = &attachments;
  ProviderSet providers = ProviderSet::all(2);
  EXPECT_EQ(routers[0]->apply(request, draw, providers).detail, "tag blue");
}

TEST(RuleLimits, RefuseTooManyConditions) {
  const auto rule = parse_condition_rule(
      kConditionKey, "conditions: [" + list_of(kMaxRuleConditions + 1, "a=>b=1") + "]");
  EXPECT_THAT(message_of(rule), HasSubstr("over 1000 conditions"));
  EXPECT_EQ(rule.error().code, ErrorCode::kTooLarge);
}

TEST(RuleLimits, RefuseTooManyDestinations) {
  const auto rule = parse_condition_rule(
      kConditionKey, "configVersion: v3.1\nconditions: [{to: [" +
                         list_of(kMaxConditionDestinations + 1, "{match: a=1}") + "]}]");
  EXPECT_THAT(message_of(rule), HasSubstr("over 64 destinations of one condition"));
}

TEST(RuleLimits, RefuseTooManyValues) {
  std::string condition = "=> a=1";
  for (std::size_t i = 0; i < kMaxRuleValues; ++i) condition += ",1";
  EXPECT_THAT(message_of(parse_condition_rule(kConditionKey, "conditions: ['" + condition + "']")),
              HasSubstr("over 4096 values"));
}

TEST(RuleNames, AreCutBetweenCharacters) {
  std::string accents;
  for (int i = 0; i < 200; ++i) accents += "\u00e9";
  const auto names = names_of(Demo().conditions("conditions: ['=> host=a" + accents + "']"));
  ASSERT_EQ(names.size(), 1U);
  EXPECT_THAT(names[0], testing::EndsWith("\u00e9..."));
  EXPECT_LT(names[0].size(), 280U);
}

TEST(RuleLimits, RefuseTooManyTagsAddressesAndExpressions) {
  EXPECT_THAT(
      message_of(parse_tag_rule(kTagKey, "tags: [" + list_of(kMaxRuleTags + 1, "{name: a}") + "]")),
      HasSubstr("more tags than a rule may have"));
  EXPECT_THAT(
      message_of(parse_tag_rule(kTagKey, "tags: [{name: a, addresses: [" +
                                             list_of(kMaxRuleValues + 1, "10.0.0.1") + "]}]")),
      HasSubstr("more addresses than a rule may have"));
  EXPECT_THAT(
      message_of(parse_tag_rule(kTagKey, "tags: [{name: a, addresses: [" +
                                             list_of(kMaxRuleExpressions + 1, "10.0.0.*") + "]}]")),
      HasSubstr("more ranges of addresses than a rule may have"));
  EXPECT_THAT(
      message_of(parse_tag_rule(
          kTagKey, "configVersion: v3.0\ntags: [{name: a, match: [" +
                       list_of(kMaxRuleExpressions + 1, "{key: a, value: {exact: b}}") + "]}]")),
      HasSubstr("more parameters to match than a rule may have"));
}

}  // namespace
}  // namespace skiff::governance
