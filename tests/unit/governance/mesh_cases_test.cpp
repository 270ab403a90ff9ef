#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

#include "governance/router_chain.h"
#include "governance/router_rules.h"
#include "rule_cases.h"

namespace skiff::governance {
namespace {

// Always draws the same destination; notes how many there were to choose from.
class FixedDraw final : public Draw {
 public:
  explicit FixedDraw(std::size_t drawn) : drawn_(drawn) {}
  std::size_t choose(std::span<const std::uint32_t> weights) override {
    choices_ = weights.size();
    return std::min(drawn_, weights.size() - 1);
  }
  std::size_t choices() const { return choices_; }

 private:
  std::size_t drawn_;
  std::size_t choices_ = 0;
};

class ArgumentsOfCase final : public ArgumentTexts {
 public:
  explicit ArgumentsOfCase(std::vector<std::string> texts) : texts_(std::move(texts)) {}
  std::optional<std::string_view> text(std::size_t index) override {
    if (index >= texts_.size()) return std::nullopt;
    return texts_[index];
  }

 private:
  std::vector<std::string> texts_;
};

class MeshCase : public testing::TestWithParam<RuleCase> {
 protected:
  MeshCase() {
    for (const auto& one : GetParam().fields["providers"]) add_provider(one.first, one.second);
    if (names_.empty()) add_provider(YAML::Node("p1"), YAML::Node());
  }

  static Result<RouterRulePtr> parse() {
    return parse_mesh_rule(GetParam().text("key", "app1.MESHAPPRULE"), GetParam().text("rule"));
  }

  // What is left in the words of the cases.
  std::string route(const RouterRulePtr& rule, FixedDraw& draw) const {
    if (rule == nullptr) return "no rule";
    const dubbo::ConsumerIdentity consumer = consumer_of_case();
    const std::string interface = GetParam().text("interface", "ccc");
    Routers routers;
    rule->compile({.interface = interface,
                   .group = {},
                   .version = {},
                   .providers = providers_,
                   .consumer = consumer},
                  routers);
    ProviderSet providers = left_of_case();
    switch (apply(routers, draw, providers)) {
      case Router::Outcome::kNarrowed:
        return in_words(providers);
      case Router::Outcome::kNoMatch:
        return "no match";
      case Router::Outcome::kIgnored:
        EXPECT_EQ(providers, left_of_case());
        return "ignored";
      case Router::Outcome::kRefused:
        return "refused";
    }
    return {};
  }

  static std::string expectation(const YAML::Node& node) {
    return node.IsScalar() ? node.as<std::string>()
                           : testing::PrintToString(node.as<std::vector<std::string>>());
  }

 private:
  void add_provider(const YAML::Node& name, const YAML::Node& parameters) {
    names_.push_back(name.as<std::string>());
    dubbo::Url url = dubbo::Url::parse("dubbo://10.0.0.1:20880/ccc?application=app1").value();
    for (const auto& one : parameters) {
      url.parameters[one.first.as<std::string>()] = one.second.as<std::string>();
    }
    providers_.push_back(std::move(url));
  }

  static dubbo::ConsumerIdentity consumer_of_case() {
    dubbo::ConsumerIdentity consumer{.application = "shop", .host = "10.9.0.1", .parameters = {}};
    if (!GetParam().has("consumer")) return consumer;
    const YAML::Node fields = GetParam().fields["consumer"];
    consumer.application = fields["application"].as<std::string>();
    for (const auto& one : fields["parameters"]) {
      consumer.parameters.emplace(one.first.as<std::string>(), one.second.as<std::string>());
    }
    return consumer;
  }

  ProviderSet left_of_case() const {
    if (!GetParam().has("left")) return ProviderSet::all(names_.size());
    ProviderSet left = ProviderSet::none(names_.size());
    for (const YAML::Node& name : GetParam().fields["left"]) {
      const auto found = std::ranges::find(names_, name.as<std::string>());
      left.add(static_cast<std::size_t>(found - names_.begin()));
    }
    return left;
  }

  // Of the router of the group that matches.
  static Router::Outcome apply(const Routers& routers, Draw& draw, ProviderSet& providers) {
    dubbo::Attachments attachments;
    std::vector<std::pair<std::string, std::string>> texts;
    for (const auto& one : GetParam().fields["attachments"]) {
      texts.emplace_back(one.first.as<std::string>(), one.second.as<std::string>());
    }
    for (const auto& [key, value] : texts) attachments.add(key, value);
    ArgumentsOfCase arguments(GetParam().has("arguments")
                                  ? GetParam().fields["arguments"].as<std::vector<std::string>>()
                                  : std::vector<std::string>());
    const std::string method = GetParam().text("method", "sayHello");
    const RequestView request{
        .method = method, .attachments = &attachments, .arguments = &arguments};
    Router::Outcome outcome = Router::Outcome::kNoMatch;
    RouterChain(routers, method)
        .apply(request, draw, providers,
               [&](const Router& router, const Router::Result& result, const ProviderSet&) {
                 EXPECT_EQ(router.group(), routers.front()->group());
                 EXPECT_EQ(outcome, Router::Outcome::kNoMatch) << "asked on: " << router.name();
                 outcome = result.outcome;
               });
    return outcome;
  }

  std::string in_words(const ProviderSet& providers) const {
    std::vector<std::string> left;
    providers.for_each([&](std::size_t i) { left.push_back(names_[i]); });
    return testing::PrintToString(left);
  }

  std::vector<std::string> names_;
  std::vector<dubbo::Url> providers_;
};

TEST_P(MeshCase, IsAsExpected) {
  const auto rule = parse();
  if (GetParam().has("error")) {
    ASSERT_FALSE(rule.has_value());
    EXPECT_THAT(rule.error().message, testing::HasSubstr(GetParam().text("error")));
    return;
  }
  ASSERT_TRUE(rule.has_value()) << rule.error().message;
  FixedDraw none(0);
  if (GetParam().has("expect")) {
    EXPECT_EQ(route(*rule, none), expectation(GetParam().fields["expect"]));
    EXPECT_EQ(none.choices(), 0U);
    return;
  }
  const YAML::Node draws = GetParam().fields["draws"];
  ASSERT_TRUE(draws.IsSequence());
  for (std::size_t i = 0; i < draws.size(); ++i) {
    FixedDraw draw(i);
    EXPECT_EQ(route(*rule, draw), expectation(draws[i]));
    EXPECT_EQ(draw.choices(), draws.size());
  }
}

INSTANTIATE_TEST_SUITE_P(Rules, MeshCase, testing::ValuesIn(load_rule_cases("mesh.yaml")),
                         name_of_test);

}  // namespace
}  // namespace skiff::governance
