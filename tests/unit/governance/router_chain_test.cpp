#include "governance/router_chain.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>

#include "governance/router_rules.h"
#include "governance/static_routes/static_route_rule.h"
#include "plain_walk.h"

namespace skiff::governance {
namespace {

using testing::ElementsAre;

// Takes the destinations with a weight in turn.
class InTurn final : public Draw {
 public:
  std::size_t choose(std::span<const std::uint32_t> weights) override {
    do {
      next_ = (next_ + 1) % weights.size();
    } while (weights[next_] == 0);
    return next_;
  }

 private:
  std::size_t next_ = 0;
};

// Rules at random, of few words, so that requests meet many of them.
class RandomRules {
 public:
  explicit RandomRules(std::uint32_t seed) : random_(seed) {}

  Routers compile() {
    Routers routers;
    add(parse_condition_rule("a.Demo::.condition-router", conditions(false)), routers);
    add(parse_condition_rule("shop.condition-router", conditions(true)), routers);
    add(parse_mesh_rule("demo.MESHAPPRULE", mesh()), routers);
    add(parse_tag_rule("demo.tag-router", "tags: [{name: v1, addresses: [10.0.0.1]}]"), routers);
    auto host = parse_virtual_host(static_routes(), "random");
    EXPECT_TRUE(host) << host.error().message;
    add(static_route_rule(std::make_shared<const VirtualHost>(*std::move(host))), routers);
    return routers;
  }

  // The views live as long as this.
  dubbo::Attachments attachments() {
    dubbo::Attachments sent;
    for (const char* key : kKeys) {
      if (one_of(4) > 0) sent.add(key, kTexts[one_of(kTexts.size())]);
    }
    if (one_of(3) == 0) sent.add("dubbo.tag", "v1");
    return sent;
  }
  std::string method() { return kMethods[one_of(kMethods.size())]; }
  std::size_t providers() const { return providers_.size(); }

 private:
  static constexpr std::array<const char*, 9> kKeys = {"a", "b", "c", "d", "e", "f", "g", "h", "i"};
  static constexpr std::array<const char*, 5> kTexts = {"v1", "v2", "v3", "17", ""};
  static constexpr std::array<const char*, 3> kMethods = {"find", "findAll", "save"};

  std::size_t one_of(std::size_t count) { return random_() % count; }
  std::string key() { return kKeys[one_of(one_of(3) == 0 ? kKeys.size() : 2)]; }
  std::string text() { return kTexts[one_of(kTexts.size() - 1)]; }

  void add(const Result<RouterRulePtr>& rule, Routers& routers) const {
    ASSERT_TRUE(rule) << rule.error().message;
    (*rule)->compile({.interface = "a.Demo",
                      .group = "",
                      .version = "",
                      .providers = providers_,
                      .consumer = consumer_},
                     routers);
  }

  std::string when() {
    std::string when;
    const auto also = [&when](const std::string& more) {
      when += (when.empty() ? "" : " & ") + more;
    };
    if (one_of(3) == 0) also("method=find*");
    if (one_of(6) == 0) also("method!=findAll");
    for (std::size_t i = one_of(3); i > 0; --i) {
      const std::array<std::string, 5> values = {"=" + text(), "=" + text() + "," + text(), "=v*",
                                                 "=1~20", "!=" + text()};
      also("attachments[" + key() + "]" + values[one_of(values.size())]);
    }
    return when;
  }

  std::string conditions(bool of_many_destinations) {
    std::string rule = one_of(2) == 0 ? "force: true\n" : "";
    rule += of_many_destinations ? "configVersion: v3.1\nconditions:\n" : "conditions:\n";
    for (std::size_t i = 0; i < 10; ++i) {
      const std::string host = "host!=10.0.0." + std::to_string(1 + one_of(9));
      if (!of_many_destinations) {
        rule += "- \"" + when() + " => " + host + "\"\n";
      } else {
        rule += "- {from: {match: \"" + when() + "\"}, to: [{match: \"" + host + "\"}";
        rule += one_of(2) == 0 ? "]}\n" : ", {match: host=10.0.0.2}]}\n";
      }
    }
    return rule;
  }

  std::string mesh() {
    std::string rule =
        "kind: DestinationRule\nmetadata: {name: demo}\n"
        "spec: {subsets: [{name: v1, labels: {release: v1}}, {name: all}]}\n---\n"
        "kind: VirtualService\nmetadata: {name: demo}\nspec:\n  dubbo:\n  - routedetail:\n";
    for (std::size_t i = 0; i < 5; ++i) {
      const std::array<std::string, 4> ways = {"exact: " + text(), "prefix: v",
                                               "exact: " + text() + ", empty: 1", "noempty: 1"};
      rule += "    - match: [{attachments: {dubboContext: {" + key() + ": {" +
              ways[one_of(ways.size())] + "}}}}]\n      route: [{destination: {subset: v1}}";
      rule += one_of(2) == 0 ? "]\n" : ", {destination: {subset: all}, weight: 2}]\n";
    }
    return rule;
  }

  std::string static_routes() {
    std::string routes = "domains: '*'\nroutes:\n";
    for (std::size_t i = 0; i < 5; ++i) {
      const std::array<std::string, 4> ways = {"exact: '" + text() + "'",
                                               "exact: '" + text() + "', invert: true", "prefix: v",
                                               "present: false"};
      routes += "- {match: {attachments: [{name: " + key() + ", " + ways[one_of(ways.size())] +
                "}]}, cluster: " + (one_of(2) == 0 ? "v1" : "all") + "}\n";
    }
    return routes + "clusters: [{name: v1, subset: {release: v1}}, {name: all}]";
  }

  std::mt19937 random_;
  const dubbo::ConsumerIdentity consumer_ = {
      .application = "shop", .host = "10.0.0.99", .parameters = {}};
  const std::vector<dubbo::Url> providers_ = [] {
    std::vector<dubbo::Url> providers;
    for (int i = 1; i < 10; ++i) {
      providers.push_back(dubbo::Url::parse("dubbo://10.0.0." + std::to_string(i) +
                                            ":1/a.Demo?application=demo&release=v" +
                                            std::to_string(i % 2))
                              .value());
    }
    return providers;
  }();
};

TEST(RouterChain, ComesToWhatAskingOneRouterAfterTheOtherDoes) {
  constexpr int kRuleSets = 200;
  constexpr int kRequests = 50;  // of each
  const std::uint32_t seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  int matched = 0;
  for (std::uint32_t i = 0; i < kRuleSets; ++i) {
    RandomRules rules(seed + i);
    const Routers routers = rules.compile();
    InTurn draw;
    InTurn same_draw;
    for (int j = 0; j < kRequests; ++j) {
      const dubbo::Attachments attachments = rules.attachments();
      const std::string method = rules.method();
      const RequestView request{.method = method, .attachments = &attachments};
      const Walk walk = walk_by_chain(routers, request, draw, rules.providers());
      ASSERT_EQ(walk, walk_plainly(routers, request, same_draw, rules.providers())) << method;
      matched += static_cast<int>(std::ranges::count_if(
          walk, [](const WalkStep& step) { return step.outcome != Router::Outcome::kNoMatch; }));
    }
  }
  EXPECT_GT(matched, kRuleSets * kRequests) << "hardly any rule matches: this tests little";
}

// Wants the attachment env to be `env`; counts how often it is asked.
class RouterOf final : public Router {
 public:
  explicit RouterOf(std::string env) : env_(std::move(env)) {}

  const std::string& name() const override { return env_; }
  bool concerns(std::string_view method) const override { return method == "find"; }
  bool reads_more_than_method() const override { return true; }
  std::optional<AttachmentDemand> demand() const override {
    return AttachmentDemand{.key = "env", .texts = {env_}};
  }
  Result apply(const RequestView& request, Draw& /*draw*/,
               ProviderSet& /*providers*/) const override {
    ++asked;
    return {.outcome = request.attachment("env") == env_ ? Outcome::kNarrowed : Outcome::kNoMatch};
  }

  mutable int asked = 0;

 private:
  const std::string env_;
};

TEST(RouterChain, TellsOfRoutersThatItNeedNotAsk) {
  const auto gray = std::make_shared<RouterOf>("gray");
  const auto blue = std::make_shared<RouterOf>("blue");
  dubbo::Attachments attachments;
  attachments.add("env", "blue");
  InTurn draw;
  const Walk walk =
      walk_by_chain({gray, blue}, {.method = "find", .attachments = &attachments}, draw, 1);
  ASSERT_EQ(walk.size(), 2U);
  EXPECT_EQ(walk[0].outcome, Router::Outcome::kNoMatch);
  EXPECT_EQ(walk[1].outcome, Router::Outcome::kNarrowed);
  EXPECT_EQ(gray->asked, 0);
  EXPECT_EQ(blue->asked, 1);
}

TEST(RouterChain, HasTheRoutersThatConcernItsMethod) {
  const Routers routers = {std::make_shared<RouterOf>("gray")};
  EXPECT_EQ(RouterChain(routers, "find").size(), 1U);
  EXPECT_TRUE(RouterChain(routers, "find").reads_more_than_method());
  EXPECT_EQ(RouterChain(routers, "save").size(), 0U);
  EXPECT_FALSE(RouterChain(routers, "save").reads_more_than_method());
}

}  // namespace
}  // namespace skiff::governance
