#include "governance/effective_url.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace skiff::governance {
namespace {

const dubbo::ConsumerIdentity kConsumer{
    .application = "shop", .host = "10.9.0.1", .parameters = {{"timeout", "300"}}};

dubbo::Url url(const std::string& text) { return dubbo::Url::parse(text).value(); }

Configurators configurators(const std::string& text) {
  return parse_configurator_url(url(text)).value();
}

TEST(EffectiveUrl, PutsTheSubscriptionOverTheProvider) {
  const dubbo::Url merged = effective_provider_url(
      url("dubbo://10.0.0.5:20880/a.Demo?timeout=100&retries=1"), kConsumer, {});
  EXPECT_EQ(merged, url("dubbo://10.0.0.5:20880/a.Demo?timeout=300&retries=1"));
}

TEST(EffectiveUrl, PutsConfiguratorsOverTheSubscription) {
  const dubbo::Url merged =
      effective_provider_url(url("dubbo://10.0.0.5:20880/a.Demo?timeout=100"), kConsumer,
                             configurators("override://0.0.0.0/a.Demo?timeout=7"));
  EXPECT_EQ(merged.parameter("timeout"), "7");
}

TEST(EffectiveUrl, LeavesWhatTellsTheProviderApart) {
  const dubbo::Url provider =
      url("dubbo://10.0.0.5:20882/"
          "a.Demo?application=stock&dubbo=2.0.2&dubbo.tag=gray&group=g&interface="
          "a.Demo&methods=hi&release=3.3.0&side=provider&skiff.port=20880&timestamp=5&token=t&"
          "version=1");
  dubbo::ConsumerIdentity consumer = kConsumer;
  consumer.parameters.clear();
  for (const auto& [key, value] : provider.parameters) consumer.parameters[key] = "else";
  consumer.parameters["threads"] = "5";
  EXPECT_EQ(effective_provider_url(provider, consumer, {}), provider);
}

TEST(EffectiveUrl, LetsAConsumerWeighAndBalanceForItself) {
  dubbo::ConsumerIdentity consumer = kConsumer;
  consumer.parameters = {{"loadbalance", "roundrobin"}, {"weight", "5"}, {"cluster", "failfast"}};
  const dubbo::Url merged = effective_provider_url(
      url("dubbo://10.0.0.5:20880/a.Demo?loadbalance=random&weight=9"), consumer, {});
  EXPECT_EQ(merged,
            url("dubbo://10.0.0.5:20880/a.Demo?cluster=failfast&loadbalance=roundrobin&weight=5"));
}

TEST(EffectiveUrl, IgnoresAnEmptyValueOfTheSubscription) {
  dubbo::ConsumerIdentity consumer = kConsumer;
  consumer.parameters = {{"timeout", ""}};
  const dubbo::Url provider = url("dubbo://10.0.0.5:20880/a.Demo?timeout=100");
  EXPECT_EQ(effective_provider_url(provider, consumer, {}), provider);
}

TEST(ValueSources, SaysWhereEachValueCameFrom) {
  const auto sources =
      value_sources(url("dubbo://10.0.0.5:20880/"
                        "a.Demo?application=x&hi.retries=2&timeout=100&weight=9&hash.nodes=5"),
                    kConsumer, configurators("override://0.0.0.0/a.Demo?weight=50&zone=hz"));
  EXPECT_THAT(
      sources,
      testing::ElementsAre(
          ValueSource{"hash.nodes", "5", "provider URL"},
          ValueSource{"hi.retries", "2", "provider URL"},
          ValueSource{"timeout", "300", "subscription"},
          ValueSource{"weight", "50", "configurator override://0.0.0.0/a.Demo?weight=50&zone=hz"}));
}

TEST(ValueSources, NamesTheLastConfiguratorThatChangedTheValue) {
  Configurators all = configurators("override://0.0.0.0/a.Demo?weight=50");
  all.push_back(configurators("override://10.9.0.1/a.Demo?weight=60").front());
  all.push_back(configurators("override://10.9.0.2/a.Demo?weight=70").front());
  const auto sources = value_sources(url("dubbo://10.0.0.5:20880/a.Demo"), kConsumer, all);
  ASSERT_EQ(sources.size(), 2U);
  EXPECT_EQ(sources[1].value, "60");
  EXPECT_EQ(sources[1].source, "configurator override://10.9.0.1/a.Demo?weight=60");
}

}  // namespace
}  // namespace skiff::governance
