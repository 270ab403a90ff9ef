#include "registry/application/application_texts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "registry/application/application_names.h"
#include "registry/application/metadata_info.h"
#include "registry/application/provider_urls.h"
#include "registry/application/service_instance.h"
#include "registry/warmup.h"
#include "registry/weight_steps.h"

namespace skiff::registry {
namespace {

using Texts = std::map<std::string, std::string>;
using testing::Eq;
using testing::Optional;
using testing::Pair;
using testing::UnorderedElementsAre;

// As the agent writes them for publications.
std::string url_text(const std::string& interface, const std::string& more = "",
                     const std::string& timestamp = "1764000000000") {
  return "dubbo://10.0.0.5:20882/" + interface +
         "?anyhost=true&application=shop&category=providers" +
         "&dubbo=2.0.2&interface=" + interface + more +
         "&methods=hi&pid=42&side=provider&skiff.port=20880&timestamp=" + timestamp;
}

ProviderUrls urls(const std::vector<std::string>& texts) {
  ProviderUrls result;
  for (const std::string& text : texts) {
    const auto url = dubbo::Url::parse(text);
    result.emplace(url->to_string(), *url);
  }
  return result;
}

// What our own discovery makes of it.
std::vector<std::string> found_again(const ApplicationTexts& texts) {
  const auto instance = parse_service_instance(texts.instance);
  const auto info = parse_metadata_json(texts.metadata, texts.revision);
  std::vector<std::string> found;
  if (!instance || !info || instance->revision != texts.revision) return found;
  for (const ServiceInfo& service : info->services()) {
    found.push_back(provider_url("shop", *instance, service).to_string());
  }
  return found;
}

TEST(MetadataRevision, IsCountedAsDubboDoes) {
  ServiceInfo demo{.interface = "com.example.Demo",
                   .group = "red",
                   .version = "1.0.0",
                   .protocol = "dubbo",
                   .port = 20882,
                   .path = "com.example.Demo",
                   .parameters = {{"methods", "a,b"}, {"application", "shop"}}};
  ServiceInfo next = demo;
  next.version = "2.0.0";
  next.parameters.clear();
  // The MD5 of "shopred/com.example.Demo:1.0.0:dubbo20882com.example.Demo" with
  // "{application=shop, methods=a,b}" behind it.
  EXPECT_EQ(metadata_revision("shop", {demo}), "68742295b3443bcb046744fd34b1a8f4");
  EXPECT_EQ(metadata_revision("shop", {demo, next}), "050085151e3f6fec23b1e891c6a113e1");
  EXPECT_EQ(metadata_revision("shop", {next, demo}), "050085151e3f6fec23b1e891c6a113e1");
  EXPECT_EQ(metadata_revision("shop", {}), "0");
}

TEST(ApplicationTexts, SayToOurOwnDiscoveryWhatTheUrlsSaid) {
  const auto texts = application_texts(
      "shop", urls({url_text("com.example.A", "&group=g"), url_text("com.example.B")}));
  EXPECT_THAT(found_again(texts),
              testing::ElementsAre(
                  "dubbo://10.0.0.5:20882/com.example.A?anyhost=true&application=shop&"
                  "category=providers&dubbo=2.0.2&group=g&interface=com.example.A&methods=hi&"
                  "side=provider&skiff.port=20880&timestamp=1764000000000",
                  "dubbo://10.0.0.5:20882/com.example.B?anyhost=true&application=shop&"
                  "category=providers&dubbo=2.0.2&interface=com.example.B&methods=hi&"
                  "side=provider&skiff.port=20880&timestamp=1764000000000"));
}

TEST(ApplicationTexts, HoldWhatCuratorAndDubboRead) {
  const auto texts = application_texts("shop", urls({url_text("com.example.A")}));
  const auto instance = nlohmann::json::parse(texts.instance);
  const auto& metadata = instance.at("payload").at("metadata");
  EXPECT_EQ(instance.at("name"), "shop");
  EXPECT_EQ(instance.at("id"), "10.0.0.5:20882");
  EXPECT_EQ(instance.at("address"), "10.0.0.5");
  EXPECT_EQ(instance.at("port"), 20882);
  EXPECT_TRUE(instance.at("sslPort").is_null());
  EXPECT_TRUE(instance.at("uriSpec").is_null());
  EXPECT_EQ(instance.at("serviceType"), "DYNAMIC");
  EXPECT_EQ(instance.at("registrationTimeUTC"), 1764000000000);
  EXPECT_EQ(instance.at("payload").at("id"), "10.0.0.5:20882");
  EXPECT_EQ(instance.at("payload").at("name"), "shop");
  EXPECT_EQ(instance.at("payload").begin().key(), "@class") << "Curator reads it first";
  EXPECT_THAT(
      metadata.get<Texts>(),
      UnorderedElementsAre(Pair("dubbo.endpoints", R"([{"port":20882,"protocol":"dubbo"}])"),
                           Pair("dubbo.metadata.revision", texts.revision),
                           Pair("dubbo.metadata.storage-type", "remote"),
                           Pair("timestamp", "1764000000000")));

  const auto info = nlohmann::json::parse(texts.metadata);
  EXPECT_EQ(info.at("app"), "shop");
  EXPECT_EQ(info.at("revision"), texts.revision);
  const auto& service = info.at("services").at("com.example.A:dubbo");
  EXPECT_EQ(service.at("name"), "com.example.A");
  EXPECT_EQ(service.at("path"), "com.example.A");
  EXPECT_EQ(service.at("protocol"), "dubbo");
  EXPECT_EQ(service.at("port"), 20882);
  EXPECT_FALSE(service.contains("group")) << "Java tells null from empty";
  EXPECT_EQ(service.at("params").at("methods"), "hi");
  EXPECT_FALSE(service.at("params").contains("pid"));
  EXPECT_FALSE(service.at("params").contains("timestamp"));
}

TEST(ApplicationTexts, HaveOneRevisionForAllThatExportTheSame) {
  const auto one = application_texts("shop", urls({url_text("com.example.A")}));
  std::string elsewhere = url_text("com.example.A", "", "1764000999999");
  elsewhere.replace(elsewhere.find("10.0.0.5"), 8, "10.0.0.9");
  elsewhere.replace(elsewhere.find("pid=42"), 6, "pid=43");
  const auto other = application_texts("shop", urls({elsewhere}));
  EXPECT_EQ(one.revision, other.revision);
  EXPECT_EQ(one.metadata, other.metadata);
  EXPECT_NE(one.instance, other.instance);
}

TEST(ApplicationTexts, ChangeTheirRevisionWithWhatIsExported) {
  const auto revision = [](const std::vector<std::string>& texts) {
    return application_texts("shop", urls(texts)).revision;
  };
  const std::string demo = url_text("com.example.A");
  const std::string first = revision({demo});
  EXPECT_EQ(revision({demo}), first);
  EXPECT_NE(revision({demo, url_text("com.example.B")}), first);
  EXPECT_NE(revision({url_text("com.example.A", "&timeout=7")}), first);
  EXPECT_NE(revision({url_text("com.example.A", "&group=g")}), first);
  EXPECT_NE(application_texts("depot", urls({demo})).revision, first);
}

// Dubbo 3 lets an instance warm up by itself, and each revision is a node for ever.
TEST(ApplicationTexts, SayTheWholeWeightOfAProviderWhoseWeightComesInSteps) {
  const std::string text = url_text("com.example.A", "&weight=300");
  const dubbo::Url step = url_at(*dubbo::Url::parse(text), std::chrono::milliseconds(0), 4).url;
  ASSERT_TRUE(is_weight_step(step));
  EXPECT_EQ(application_texts("shop", urls({step.to_string()})).metadata,
            application_texts("shop", urls({text})).metadata);
}

TEST(ApplicationTexts, AreAsOldAsTheOldestProviderAndTakeTheYoungestOfEquals) {
  const auto texts =
      application_texts("shop", urls({url_text("com.example.A", "&weight=1", "1764000000300"),
                                      url_text("com.example.A", "&weight=2", "1764000000200"),
                                      url_text("com.example.B", "", "1764000000100")}));
  const auto instance = parse_service_instance(texts.instance);
  ASSERT_TRUE(instance);
  EXPECT_EQ(instance->parameters.at("timestamp"), "1764000000100");
  const auto info = parse_metadata_json(texts.metadata, texts.revision);
  ASSERT_TRUE(info);
  ASSERT_EQ(info->services_of("com.example.A").size(), 1U);
  EXPECT_EQ(info->services_of("com.example.A")[0].parameters.at("weight"), "1");
}

TEST(ApplicationTexts, SayOfTheInstanceWhatIsTheMachines) {
  const auto texts = application_texts("shop", urls({url_text("com.example.A", "&ipv6=fe80::1")}));
  const auto instance = parse_service_instance(texts.instance);
  const auto info = parse_metadata_json(texts.metadata, texts.revision);
  ASSERT_TRUE(instance && info);
  EXPECT_EQ(instance->parameters.at("ipv6"), "fe80::1");
  EXPECT_FALSE(info->services()[0].parameters.contains("ipv6"));
}

TEST(ApplicationTexts, CarryAnIpv6Address) {
  std::string text = url_text("com.example.A");
  text.replace(text.find("10.0.0.5"), 8, "[fd00::5]");
  const auto texts = application_texts("shop", urls({text}));
  EXPECT_THAT(found_again(texts),
              testing::ElementsAre(testing::StartsWith("dubbo://[fd00::5]:20882/com.example.A?")));
}

TEST(WithApplication, AddsANameAndTakesNoneAway) {
  EXPECT_THAT(with_application("", "shop"), Optional(Eq("shop")));
  EXPECT_THAT(with_application(" \n", "shop"), Optional(Eq("shop")));
  EXPECT_THAT(with_application("depot", "shop"), Optional(Eq("depot,shop")));
  EXPECT_THAT(with_application("depot, bazaar ", "shop"), Optional(Eq("depot, bazaar ,shop")));
  EXPECT_THAT(with_application("depot,", "shop"), Optional(Eq("depot,shop")));
  EXPECT_THAT(with_application("shopping,my-shop", "shop"), Optional(Eq("shopping,my-shop,shop")));
  EXPECT_THAT(with_application(R"({"lie":1})", "shop"), Optional(Eq(R"({"lie":1},shop)")));
}

TEST(WithApplication, LeavesWhatNamesItAlready) {
  for (const char* content : {"shop", "a,shop", "shop,a", "a, shop ,b", "a,,shop"}) {
    EXPECT_EQ(with_application(content, "shop"), std::nullopt) << content;
  }
}

TEST(ApplicationNames, HaveNoCommas) {
  EXPECT_TRUE(is_application_name("shop"));
  EXPECT_FALSE(is_application_name("shop,depot"));
  EXPECT_FALSE(is_application_name("a/b"));
  EXPECT_FALSE(is_application_name(""));
}

}  // namespace
}  // namespace skiff::registry
