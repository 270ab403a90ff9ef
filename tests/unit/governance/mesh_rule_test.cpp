#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "governance/router_rules.h"

namespace skiff::governance {
namespace {

constexpr const char* kRule = R"(
kind: DestinationRule
metadata: {name: demo}
spec: {subsets: [{name: gray, labels: {env: gray}}, {name: all}]}
---
kind: VirtualService
metadata: {name: demo}
spec:
  dubbo:
  - routedetail:
    - name: canary
      match: [{method: {name_match: {prefix: get}}}]
      route: [{destination: {subset: gray}, weight: 20}, {destination: {subset: all}, weight: 0}]
    - match: [{attachments: {dubboContext: {env: {exact: gray}}}}]
      route: [{destination: {subset: gray}}]
    - route: [{destination: {subset: all}}]
)";

class WeightsSeen final : public Draw {
 public:
  std::size_t choose(std::span<const std::uint32_t> weights) override {
    weights_.assign(weights.begin(), weights.end());
    return 0;
  }
  const std::vector<std::uint32_t>& weights() const { return weights_; }

 private:
  std::vector<std::uint32_t> weights_;
};

class MeshRule : public testing::Test {
 protected:
  MeshRule() {
    const auto rule = parse_mesh_rule("app1.MESHAPPRULE", kRule).value();
    rule->compile({.interface = "a.Demo",
                   .group = {},
                   .version = {},
                   .providers = providers_,
                   .consumer = consumer_},
                  routers_);
  }

  std::vector<dubbo::Url> providers_ = {
      dubbo::Url::parse("dubbo://10.0.0.1:1/a.Demo?application=app1&env=gray").value(),
      dubbo::Url::parse("dubbo://10.0.0.2:1/a.Demo?application=app1").value()};
  dubbo::ConsumerIdentity consumer_{.application = "shop", .host = "10.9.0.1", .parameters = {}};
  Routers routers_;
};

TEST_F(MeshRule, NamesItsRouters) {
  ASSERT_EQ(routers_.size(), 3U);
  EXPECT_EQ(routers_[0]->name(), "mesh rule app1.MESHAPPRULE, demo, canary");
  EXPECT_EQ(routers_[1]->name(), "mesh rule app1.MESHAPPRULE, demo, routedetail[1]");
}

TEST_F(MeshRule, SaysWhichMethodsItConcerns) {
  EXPECT_TRUE(routers_[0]->concerns("getAll"));
  EXPECT_FALSE(routers_[0]->concerns("sayHello"));
  EXPECT_TRUE(routers_[1]->concerns("sayHello"));
}

TEST_F(MeshRule, SaysWhetherItReadsMoreThanTheMethod) {
  EXPECT_TRUE(routers_[0]->reads_more_than_method());  // it draws
  EXPECT_TRUE(routers_[1]->reads_more_than_method());
  EXPECT_FALSE(routers_[2]->reads_more_than_method());
}

TEST_F(MeshRule, DrawsByWeightsOfWhichEachIsAtLeastOne) {
  const dubbo::Attachments attachments;
  WeightsSeen draw;
  ProviderSet providers = ProviderSet::all(2);
  const auto result = routers_[0]->apply(
      {.method = "getAll", .attachments = &attachments, .arguments = nullptr}, draw, providers);
  EXPECT_THAT(draw.weights(), testing::ElementsAre(20U, 1U));
  EXPECT_EQ(result.detail, "subset gray");
  EXPECT_TRUE(providers.contains(0));
  EXPECT_FALSE(providers.contains(1));
}

TEST(MeshRuleLimits, TooManyOfAKindAreRefused) {
  const auto error_of = [](const std::string& head, const std::string& one, int count,
                           const std::string& tail) {
    std::string rule = head;
    for (int i = 0; i < count; ++i) rule += one;
    const auto parsed = parse_mesh_rule("a.MESHAPPRULE", rule + tail);
    return parsed ? std::string("none") : parsed.error().message;
  };
  const std::string service = "{kind: VirtualService, metadata: {name: a}, spec: {dubbo: [";
  EXPECT_THAT(error_of("{kind: DestinationRule, metadata: {name: a}, spec: {subsets: [",
                       "{name: a},", 201, "]}}"),
              testing::HasSubstr("over 200 subsets"));
  EXPECT_THAT(error_of(service + "{routedetail: [", "{},", 1001, "]}]}}"),
              testing::HasSubstr("over 1000 of them"));
  EXPECT_THAT(error_of(service + "{routedetail: [{route: [", "{destination: {}},", 65, "]}]}]}}"),
              testing::HasSubstr("65 destinations, the limit is 64"));
  EXPECT_THAT(
      error_of(service + "{routedetail: [{route: [{", "destination: {subset: a, fallback: {", 18,
               std::string(36, '}') + "}]}]}]}}"),
      testing::HasSubstr("over 16 fallbacks"));
}

}  // namespace
}  // namespace skiff::governance
