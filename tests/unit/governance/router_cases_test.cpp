// Runs the cases of condition and tag rules in tests/governance-cases; each is a test of its name.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <numeric>

#include "governance/router_chain.h"
#include "governance/router_rules.h"
#include "router_case.h"

namespace skiff::governance {
namespace {

using Outcome = Router::Outcome;

Result<RouterRulePtr> parse(const RouterCase& one) {
  if (one.kind == "condition") return parse_condition_rule(one.key, one.rule);
  if (one.kind == "condition-url") {
    auto url = dubbo::Url::parse(one.rule);
    if (!url) return tl::unexpected(url.error());
    auto rule = parse_router_url(*url);
    if (!rule) return tl::unexpected(rule.error());
    return rule->rule;
  }
  if (one.kind == "script") return parse_script_rule(one.key, one.rule);
  if (one.kind == "tag") return parse_tag_rule(one.key, one.rule);
  if (one.kind == "static-tag") return static_tag_rule();
  return fail(ErrorCode::kInvalidArgument, "no such kind of rule: " + one.kind);
}

// Goes through all ends that draws may lead to, one after the other.
class EveryDraw : public Draw {
 public:
  std::size_t choose(std::span<const std::uint32_t> weights) override {
    std::vector<std::size_t> options;
    for (std::size_t i = 0; i < weights.size(); ++i) {
      if (weights[i] > 0) options.push_back(i);
    }
    EXPECT_FALSE(options.empty());
    if (asked_ == choices_.size()) choices_.emplace_back();
    Choice& choice = choices_[asked_++];
    choice.options = options.size();
    const std::size_t index = options.at(choice.taken);
    weight_ *= weights[index];
    return index;
  }

  // Of this end: the product of the weights drawn.
  std::uint64_t weight() const { return weight_; }
  // False where there is no further end.
  bool next() {
    asked_ = 0;
    weight_ = 1;
    while (!choices_.empty() && choices_.back().taken + 1 == choices_.back().options) {
      choices_.pop_back();
    }
    if (choices_.empty()) return false;
    ++choices_.back().taken;
    return true;
  }

 private:
  struct Choice {
    std::size_t taken = 0;
    std::size_t options = 0;
  };
  std::vector<Choice> choices_;
  std::size_t asked_ = 0;
  std::uint64_t weight_ = 1;
};

// "refused", "no match", "ignored", or the addresses that are left: "10.0.0.1:1 10.0.0.2:2".
std::string route(const RouterCase& one, const Routers& routers, Draw& draw) {
  CaseRequest request(one);
  ProviderSet left = ProviderSet::all(one.providers.size());
  ProviderSet before = left;
  Outcome last = Outcome::kNoMatch;
  const auto look_at = [&](const Router& router, const Router::Result& result,
                           const ProviderSet& after) {
    if (result.outcome == Outcome::kNarrowed) {
      EXPECT_FALSE(after.empty()) << router.name();
      ProviderSet both = after;
      both &= before;
      EXPECT_EQ(both, after) << "added providers: " << router.name();
    } else {
      EXPECT_EQ(after, before) << router.name();
    }
    before = after;
    if (result.outcome != Outcome::kNoMatch && last != Outcome::kNarrowed) last = result.outcome;
  };
  const ChainResult chain =
      RouterChain(routers, one.method).apply(request.view(), draw, left, look_at);
  if (chain.refused_by != nullptr) return "refused";
  if (last == Outcome::kNoMatch) return "no match";
  if (last == Outcome::kIgnored) return "ignored";
  std::string addresses;
  left.for_each([&](std::size_t i) {
    addresses += (addresses.empty() ? "" : " ") + one.providers[i].address();
  });
  return addresses;
}

std::map<std::string, std::uint64_t> all_routes(const RouterCase& one, const Routers& routers) {
  std::map<std::string, std::uint64_t> routes;
  EveryDraw draw;
  do {
    const std::string end = route(one, routers, draw);
    routes[end] += draw.weight();
  } while (draw.next());
  return routes;
}

std::string joined(const YAML::Node& texts) {
  std::string all;
  for (const YAML::Node& text : texts) all += (all.empty() ? "" : " ") + text.Scalar();
  return all;
}

class RouterCases : public testing::TestWithParam<RouterCase> {};

TEST_P(RouterCases, RouteAsDubboDoes) {
  const RouterCase& one = GetParam();
  const auto rule = parse(one);
  if (one.expect.IsMap() && one.expect["error"]) {
    ASSERT_FALSE(rule) << "expected an error";
    EXPECT_THAT(rule.error().message, testing::HasSubstr(one.expect["error"].Scalar()));
    return;
  }
  ASSERT_TRUE(rule) << rule.error().message;
  if (one.expect.IsScalar() && one.expect.Scalar() == "no rule") {
    EXPECT_EQ(*rule, nullptr);
    return;
  }
  ASSERT_NE(*rule, nullptr);
  Routers routers;
  (*rule)->compile(one.scope(), routers);
  if (one.kind == "tag") static_tag_rule()->compile(one.scope(), routers);
  const auto routes = all_routes(one, routers);
  if (one.expect.IsMap()) {
    std::map<std::string, std::uint64_t> expected;
    for (const auto& end : one.expect["weights"]) {
      expected[end.first.Scalar()] = end.second.as<std::uint64_t>();
    }
    EXPECT_EQ(routes, expected);
    return;
  }
  ASSERT_EQ(routes.size(), 1U);
  const std::string expected = one.expect.IsSequence() ? joined(one.expect) : one.expect.Scalar();
  EXPECT_EQ(routes.begin()->first, expected);
}

std::vector<RouterCase> all_cases() {
  std::vector<RouterCase> cases;
  for (const char* file :
       {"condition.yaml", "condition-v31.yaml", "condition-malformed.yaml", "tag.yaml"}) {
    for (RouterCase& one : load_router_cases(file)) cases.push_back(std::move(one));
  }
  return cases;
}

INSTANTIATE_TEST_SUITE_P(, RouterCases, testing::ValuesIn(all_cases()),
                         [](const auto& test) { return test_name(test.param); });

}  // namespace
}  // namespace skiff::governance
