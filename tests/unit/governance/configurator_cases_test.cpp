#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>

#include "governance/configurators.h"
#include "governance/effective_url.h"
#include "rule_cases.h"

namespace skiff::governance {
namespace {

constexpr const char* kDefaultProvider =
    "dubbo://10.0.0.5:20882/com.foo.Bar?application=demo-provider&interface=com.foo.Bar"
    "&side=provider&skiff.port=20880&timeout=1000";

class ConfiguratorCase : public testing::TestWithParam<RuleCase> {
 protected:
  Result<Configurators> parse() const {
    if (GetParam().has("rule")) {
      return parse_configurators(GetParam().text("key"), GetParam().text("rule"));
    }
    Configurators all;
    const YAML::Node urls = GetParam().fields[GetParam().has("url") ? "url" : "urls"];
    for (const YAML::Node& text : urls.IsScalar() ? YAML::Load("[]") : urls) {
      auto one = parse_url(text.as<std::string>());
      if (!one) return one;
      all.insert(all.end(), one->begin(), one->end());
    }
    if (urls.IsScalar()) return parse_url(urls.as<std::string>());
    sort_configurators(all);
    return all;
  }

  dubbo::ConsumerIdentity consumer() const {
    const YAML::Node& fields = GetParam().fields;
    dubbo::ConsumerIdentity consumer{
        .application = "demo-consumer", .host = "10.9.0.1", .parameters = {}};
    if (!GetParam().has("consumer")) return consumer;
    consumer.application = fields["consumer"]["application"].as<std::string>();
    consumer.host = fields["consumer"]["host"].as<std::string>();
    for (const auto& one : fields["consumer"]["parameters"]) {
      consumer.parameters.emplace(one.first.as<std::string>(), one.second.as<std::string>());
    }
    return consumer;
  }

  dubbo::Url apply(const Configurators& configurators) const {
    const dubbo::Url provider =
        dubbo::Url::parse(GetParam().text("provider", kDefaultProvider)).value();
    if (GetParam().text("side") != "provider") {
      return effective_provider_url(provider, consumer(), configurators);
    }
    dubbo::Url url = provider;
    for (const auto& one : configurators) {
      one->apply({.side = ConfiguratorTarget::Side::kProvider}, url);
    }
    return url;
  }

 private:
  static Result<Configurators> parse_url(const std::string& text) {
    return parse_configurator_url(dubbo::Url::parse(text).value());
  }
};

TEST_P(ConfiguratorCase, IsAsExpected) {
  const Result<Configurators> configurators = parse();
  if (GetParam().has("error")) {
    ASSERT_FALSE(configurators.has_value());
    EXPECT_THAT(configurators.error().message, testing::HasSubstr(GetParam().text("error")));
    return;
  }
  ASSERT_TRUE(configurators.has_value()) << configurators.error().message;
  dubbo::Url expected = apply({});
  if (GetParam().text("expect") != "unchanged") {
    for (const auto& one : GetParam().fields["expect"]) {
      expected.parameters[one.first.as<std::string>()] = one.second.as<std::string>();
    }
  }
  EXPECT_EQ(apply(*configurators).to_string(), expected.to_string());
}

INSTANTIATE_TEST_SUITE_P(Rules, ConfiguratorCase,
                         testing::ValuesIn(load_rule_cases("configurators.yaml")), name_of_test);

}  // namespace
}  // namespace skiff::governance
