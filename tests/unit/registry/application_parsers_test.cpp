#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "registry/application/application_names.h"
#include "registry/application/metadata_info.h"
#include "registry/application/provider_urls.h"
#include "registry/application/service_instance.h"
#include "registry/limits.h"

namespace skiff::registry {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// As Dubbo 3.2 writes it through Curator.
const std::string kInstance = R"({"name":"shop","id":"10.0.0.1:20880","address":"10.0.0.1",
  "port":20880,"sslPort":null,"payload":{"@class":"org.apache.dubbo.registry.zookeeper.ZookeeperInstance",
  "id":"10.0.0.1:20880","name":"shop","metadata":{
  "dubbo.endpoints":"[{\"port\":50051,\"protocol\":\"tri\"},{\"port\":20881,\"protocol\":\"dubbo\"}]",
  "dubbo.metadata-service.url-params":"{\"connections\":\"1\",\"version\":\"1.0.0\",\"dubbo\":\"2.0.2\",\"side\":\"provider\",\"port\":\"20890\",\"protocol\":\"dubbo\"}",
  "dubbo.metadata.revision":"9f0a","dubbo.metadata.storage-type":"remote","timestamp":"1764000000000"}},
  "registrationTimeUTC":1764000000001,"serviceType":"DYNAMIC","uriSpec":null})";

const std::string kMetadata = R"({"app":"shop","revision":"9f0a","services":{
  "red/com.example.Demo:1.0.0:dubbo":{"name":"com.example.Demo","group":"red","version":"1.0.0",
    "protocol":"dubbo","port":20882,"path":"com.example.Demo","params":{"methods":"a,b","timeout":700,"group":"red"}},
  "com.example.Demo:tri":{"name":"com.example.Demo","protocol":"tri","port":50051,"path":"com.example.Demo","params":{}},
  "com.example.Other:dubbo":{"name":"com.example.Other","group":null,"protocol":"dubbo","port":-1,"path":"other"}}})";

TEST(ApplicationNames, AreSplitTrimmedSortedAndEachOnce) {
  EXPECT_THAT(parse_application_names("b, a ,b,,\tc\n"), ElementsAre("a", "b", "c"));
  EXPECT_THAT(parse_application_names(""), IsEmpty());
}

TEST(ApplicationNames, LeaveOutWhatCouldNotBeOneNode) {
  EXPECT_THAT(parse_application_names("../x,.,..,a/b,good,\x01"
                                      "bad," +
                                      std::string(300, 'x')),
              ElementsAre("good"));
}

TEST(ApplicationNames, AreLimited) {
  std::string many;
  for (int i = 0; i < 1'000; ++i) many += "app" + std::to_string(i) + ",";
  EXPECT_EQ(parse_application_names(many).size(), kMaxApplicationsOfInterface);
}

TEST(ServiceInstance, IsReadAsDubboWritesIt) {
  const auto instance = parse_service_instance(kInstance);
  ASSERT_TRUE(instance) << instance.error().message;
  EXPECT_EQ(instance->host, "10.0.0.1");
  EXPECT_EQ(instance->port, 20880);
  EXPECT_EQ(instance->dubbo_port, 20881);
  EXPECT_EQ(instance->metadata_port, 20890);
  EXPECT_EQ(instance->metadata_version, "1.0.0");
  EXPECT_EQ(instance->revision, "9f0a");
  EXPECT_EQ(instance->storage, ServiceInstance::Storage::kRemote);
  EXPECT_THAT(instance->parameters, ElementsAre(testing::Pair("timestamp", "1764000000000")));
}

TEST(ServiceInstance, HasDubbosDefaults) {
  const auto instance = parse_service_instance(R"({"address":"10.0.0.1","port":20880})");
  ASSERT_TRUE(instance);
  EXPECT_EQ(instance->storage, ServiceInstance::Storage::kLocal);
  EXPECT_EQ(instance->metadata_port, 20880);
  EXPECT_EQ(instance->dubbo_port, 0);
  EXPECT_EQ(instance->revision, "");
}

TEST(ServiceInstance, WithRevisionZeroOrOneThatIsNoNodeHasNone) {
  for (const char* revision : {"0", "../../secret", "", "a b"}) {
    const auto instance = parse_service_instance(
        R"({"address":"10.0.0.1","port":1,"payload":{"metadata":{"dubbo.metadata.revision":")" +
        std::string(revision) + R"("}}})");
    ASSERT_TRUE(instance) << revision;
    EXPECT_EQ(instance->revision, "") << revision;
  }
}

TEST(ServiceInstance, HasNoMetadataServiceWhereThatSpeaksAnotherProtocol) {
  const auto instance = parse_service_instance(
      R"({"address":"10.0.0.1","port":50051,"payload":{"metadata":{
      "dubbo.metadata-service.url-params":"{\"protocol\":\"tri\",\"port\":\"50051\"}"}}})");
  ASSERT_TRUE(instance);
  EXPECT_EQ(instance->metadata_port, 0);
}

TEST(ServiceInstance, RefusesWhatIsNoInstance) {
  const std::vector<std::string> cases = {
      "",
      "null",
      "[]",
      "{",
      "{}",
      "{\"port\":20880}",
      R"({"address":{},"port":1})",
      R"({"address":"10.0.0.1","x":)" + std::string(2'000, '[')};
  for (const std::string& text : cases) {
    const auto instance = parse_service_instance(text);
    ASSERT_FALSE(instance) << text;
    EXPECT_EQ(instance.error().code, ErrorCode::kMalformed);
  }
  EXPECT_EQ(parse_service_instance(std::string(kMaxInstanceBytes + 1, ' ')).error().code,
            ErrorCode::kTooLarge);
}

TEST(ServiceInstance, SurvivesMembersOfOtherKinds) {
  const auto instance = parse_service_instance(
      R"({"address":"10.0.0.1","port":70000,"payload":{"metadata":{"dubbo.endpoints":"{\"x\":[1]}",
      "dubbo.metadata-service.url-params":"7","dubbo.metadata.revision":{},"weight":50,"list":[]}}})");
  ASSERT_TRUE(instance);
  EXPECT_EQ(instance->port, 0);
  EXPECT_EQ(instance->dubbo_port, 0);
  EXPECT_THAT(instance->parameters, ElementsAre(testing::Pair("weight", "50")));
}

TEST(MetadataInfo, KeepsWhatProtocolDubboExports) {
  const auto info = parse_metadata_json(kMetadata, "9f0a");
  ASSERT_TRUE(info) << info.error().message;
  ASSERT_EQ(info->services().size(), 2U);
  const auto demo = info->services_of("com.example.Demo");
  ASSERT_EQ(demo.size(), 1U);
  EXPECT_EQ(demo[0].group, "red");
  EXPECT_EQ(demo[0].port, 20882);
  EXPECT_EQ(demo[0].parameters.at("timeout"), "700");
  ASSERT_EQ(info->services_of("com.example.Other").size(), 1U);
  EXPECT_EQ(info->services_of("com.example.Other")[0].port, 0);
  EXPECT_TRUE(info->services_of("com.example").empty());
}

TEST(MetadataInfo, IsRefusedWhereItIsOfAnotherRevision) {
  const auto info = parse_metadata_json(kMetadata, "abcd");
  ASSERT_FALSE(info);
  EXPECT_EQ(info.error().code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(info.error().message, HasSubstr("9f0a"));
}

TEST(MetadataInfo, RefusesWhatIsNoMetadata) {
  for (const char* text : {"", "[]", "{}", R"({"services":[]})", R"({"services":7})", "{\"a\":"}) {
    EXPECT_FALSE(parse_metadata_json(text, "1")) << text;
  }
  EXPECT_EQ(parse_metadata_json(std::string(kMaxMetadataBytes + 1, ' '), "1").error().code,
            ErrorCode::kTooLarge);
  std::string many = R"({"services":{"k":1)";
  for (std::size_t i = 0; i < kMaxServicesOfApplication; ++i) {
    many += ",\"" + std::to_string(i) + "\":1";
  }
  EXPECT_EQ(parse_metadata_json(many + "}}", "1").error().code, ErrorCode::kTooLarge);
}

TEST(MetadataInfo, LeavesOutServicesThatAreNone) {
  const auto info = parse_metadata_json(
      R"({"services":{"a":7,"b":null,"c":{"name":"","protocol":"dubbo"},"d":{"name":"x"},
      "e":{"name":"y","protocol":"dubbo","params":{"big":")" +
          std::string(70'000, 'x') + R"("}}}})",
      "1");
  ASSERT_TRUE(info);
  EXPECT_TRUE(info->services().empty());
}

ServiceInstance instance_at(const std::string& host, std::uint16_t port) {
  ServiceInstance instance;
  instance.host = host;
  instance.port = port;
  return instance;
}

ServiceInfo dubbo_service(const std::string& interface) {
  ServiceInfo service;
  service.interface = interface;
  service.protocol = "dubbo";
  return service;
}

TEST(ProviderUrl, HasThePortOfTheServiceThenOfTheEndpointThenOfTheInstance) {
  ServiceInstance instance = instance_at("10.0.0.1", 1);
  ServiceInfo service = dubbo_service("com.example.Demo");
  EXPECT_EQ(provider_url("shop", instance, service).port, 1);
  instance.dubbo_port = 2;
  EXPECT_EQ(provider_url("shop", instance, service).port, 2);
  service.port = 3;
  EXPECT_EQ(provider_url("shop", instance, service).port, 3);
}

TEST(ProviderUrl, SaysWhatAUrlAtInterfaceLevelWould) {
  const auto instance = parse_service_instance(kInstance);
  const auto info = parse_metadata_json(kMetadata, "9f0a");
  ASSERT_TRUE(instance && info);
  EXPECT_EQ(provider_url("shop", *instance, info->services_of("com.example.Demo")[0]).to_string(),
            "dubbo://10.0.0.1:20882/com.example.Demo?application=shop&category=providers&group=red&"
            "interface=com.example.Demo&methods=a,b&side=provider&timeout=700&"
            "timestamp=1764000000000&version=1.0.0");
  EXPECT_EQ(provider_url("shop", *instance, info->services_of("com.example.Other")[0]).to_string(),
            "dubbo://10.0.0.1:20881/other?application=shop&category=providers&"
            "interface=com.example.Other&side=provider&timestamp=1764000000000");
}

TEST(ProviderUrl, TakesGroupAndVersionFromTheServiceOnly) {
  ServiceInstance instance = instance_at("10.0.0.1", 1);
  instance.parameters = {
      {"group", "lie"}, {"version", "9"}, {"application", "lie"}, {"weight", "5"}};
  const dubbo::Url url = provider_url("shop", instance, dubbo_service("a"));
  EXPECT_EQ(url.service_key(), (dubbo::ServiceKey{"a", "", ""}));
  EXPECT_EQ(url.parameter("application"), "shop");
  EXPECT_EQ(url.parameter("weight"), "5");
}

std::vector<std::string> merged(const std::vector<std::string>& of_interface,
                                const std::vector<std::string>& of_applications) {
  const auto parsed = [](const std::vector<std::string>& texts) {
    std::vector<dubbo::Url> urls;
    urls.reserve(texts.size());
    for (const std::string& text : texts) urls.push_back(*dubbo::Url::parse(text));
    return urls;
  };
  std::vector<std::string> texts;
  for (const dubbo::Url& url : merge_levels(parsed(of_interface), parsed(of_applications))) {
    texts.push_back(url.to_string());
  }
  return texts;
}

TEST(MergeLevels, CountsWhatStandsInBothOnce) {
  EXPECT_THAT(merged({"dubbo://10.0.0.1:20880/a?interface=a&weight=7"},
                     {"dubbo://10.0.0.1:20880/a?interface=a&version=0.0.0",
                      "dubbo://10.0.0.2:20880/a?interface=a"}),
              ElementsAre("dubbo://10.0.0.1:20880/a?interface=a&weight=7",
                          "dubbo://10.0.0.2:20880/a?interface=a"));
}

TEST(MergeLevels, KeepsOtherGroupsVersionsAndPortsOfAnAddress) {
  EXPECT_THAT(merged({"dubbo://10.0.0.1:20880/a?interface=a"},
                     {"dubbo://10.0.0.1:20880/a?group=g&interface=a",
                      "dubbo://10.0.0.1:20880/a?interface=a&version=2",
                      "dubbo://10.0.0.1:20882/a?interface=a"}),
              testing::SizeIs(4));
}

TEST(MergeLevels, CountsAnInstanceThatStandsInTwoApplicationsOnce) {
  EXPECT_THAT(merged({}, {"dubbo://10.0.0.1:20880/a?application=x&interface=a",
                          "dubbo://10.0.0.1:20880/a?application=y&interface=a"}),
              ElementsAre("dubbo://10.0.0.1:20880/a?application=x&interface=a"));
}

}  // namespace
}  // namespace skiff::registry
