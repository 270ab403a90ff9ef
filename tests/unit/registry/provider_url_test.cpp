#include "registry/provider_url.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "registry/limits.h"

namespace skiff::registry {
namespace {

using testing::AnyOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

UrlContext context() {
  return {.host = "10.0.0.5",
          .port = 20882,
          .application = "skiff",
          .timestamp_ms = 1764000000000,
          .pid = 4711};
}

PublicationRequest publication() {
  PublicationRequest request;
  request.service = {"com.example.DemoService", "", ""};
  request.port = 20880;
  request.methods = {"sayHello", "sayBye"};
  request.application = "demo-provider";
  return request;
}

// The message of the error that a request gets; empty where it gets none.
std::string error_of(const PublicationRequest& request) {
  const auto built = build_provider_url(request, context());
  if (built) return {};
  EXPECT_EQ(built.error().code, ErrorCode::kInvalidArgument);
  return built.error().message;
}

std::string error_of_parameter(const std::string& key, const std::string& value) {
  PublicationRequest request = publication();
  request.parameters[key] = value;
  return error_of(request);
}

TEST(ProviderUrl, SaysWhatStockConsumersNeed) {
  const auto built = build_provider_url(publication(), context());
  ASSERT_TRUE(built);
  EXPECT_EQ(built->url.to_string(),
            "dubbo://10.0.0.5:20882/com.example.DemoService?anyhost=true&application=demo-provider&"
            "category=providers&deprecated=false&dubbo=2.0.2&dynamic=true&generic=false&interface="
            "com.example.DemoService&methods=sayHello,sayBye&pid=4711&release=3.2.0&side=provider&"
            "skiff.port=20880&timestamp=1764000000000");
  EXPECT_THAT(built->warnings, IsEmpty());
}

TEST(ProviderUrl, NamesGroupVersionAndRevisionWhereTheyAreGiven) {
  PublicationRequest request = publication();
  request.service.group = "g1";
  request.service.version = "1.0.0";
  const auto built = build_provider_url(request, context());
  ASSERT_TRUE(built);
  EXPECT_EQ(built->url.parameter("group"), "g1");
  EXPECT_EQ(built->url.parameter("version"), "1.0.0");
  EXPECT_EQ(built->url.parameter("revision"), "1.0.0");
}

TEST(ProviderUrl, TreatsVersionZeroAsAbsent) {
  PublicationRequest request = publication();
  request.service.version = "0.0.0";
  const auto built = build_provider_url(request, context());
  ASSERT_TRUE(built);
  EXPECT_THAT(built->url.to_string(), Not(AnyOf(HasSubstr("version="), HasSubstr("revision="))));
}

TEST(ProviderUrl, OffersEveryMethodWhereNoneIsNamed) {
  PublicationRequest request = publication();
  request.methods.clear();
  request.application.clear();
  const auto built = build_provider_url(request, context());
  ASSERT_TRUE(built);
  EXPECT_EQ(built->url.parameter("methods"), "*");
  EXPECT_EQ(built->url.parameter("application"), "skiff");
}

TEST(ProviderUrl, BeginsWithAParameterThatMayBeLost) {
  PublicationRequest request = publication();
  request.service.group = "g";
  request.service.version = "1";
  const auto built = build_provider_url(request, context());
  ASSERT_TRUE(built);
  EXPECT_EQ(built->url.parameters.begin()->first, "anyhost");
}

TEST(ProviderUrl, WritesAnIpv6HostInBrackets) {
  UrlContext v6 = context();
  v6.host = "fd00::5";
  const auto built = build_provider_url(publication(), v6);
  ASSERT_TRUE(built);
  EXPECT_THAT(built->url.to_string(), HasSubstr("dubbo://[fd00::5]:20882/"));
}

TEST(ProviderUrl, TakesTheRequestsParametersAndLetsThemDescribe) {
  PublicationRequest request = publication();
  request.parameters = {{"weight", "50"},       {"timeout", "2000"}, {"sayHello.timeout", "500"},
                        {"application", "own"}, {"generic", "true"}, {"deprecated", "true"},
                        {"empty", ""}};
  const auto built = build_provider_url(request, context());
  ASSERT_TRUE(built) << built.error().message;
  EXPECT_EQ(built->url.parameter("weight"), "50");
  EXPECT_EQ(built->url.parameter("sayHello.timeout"), "500");
  EXPECT_EQ(built->url.parameter("application"), "own");
  EXPECT_EQ(built->url.parameter("generic"), "true");
  EXPECT_THAT(built->url.to_string(), Not(HasSubstr("empty=")));
}

TEST(ProviderUrl, RefusesParametersThatContradictTheAgent) {
  for (const char* key : {"dubbo", "interface", "side", "category", "group", "version",
                          "skiff.port", "skiff.weight", "skiff.hi.weight", "methods", "dynamic"}) {
    EXPECT_THAT(error_of_parameter(key, "other"), HasSubstr(std::string(key) + "=\"other\""));
  }
  EXPECT_EQ(error_of_parameter("skiff.team", "other"), "") << "the agent writes no such one";
  EXPECT_EQ(error_of_parameter("side", "provider"), "") << "the same is no contradiction";
}

TEST(ProviderUrl, RefusesWhatCutsUrlsApart) {
  for (const char* value : {"a&b", "a=b", "a?b", "a%b", "a+b", "a\nb", "a\x7f", " a", "a "}) {
    EXPECT_THAT(error_of_parameter("note", value), HasSubstr("\"note\"")) << value;
  }
  for (const char* key : {"", "a b", "a&b", "a=b", "a?b", "a%b", "a+b", "a#b", "a/b"}) {
    EXPECT_THAT(error_of_parameter(key, "x"), HasSubstr("key")) << key;
  }
  PublicationRequest request = publication();
  request.service.group = "a&b";
  EXPECT_THAT(error_of(request), HasSubstr("service.group"));
  request = publication();
  request.service.version = "1%0";
  EXPECT_THAT(error_of(request), HasSubstr("service.version"));
  request = publication();
  request.application = "a=b";
  EXPECT_THAT(error_of(request), HasSubstr("service.application"));
  request = publication();
  request.methods = {"a,b"};
  EXPECT_THAT(error_of(request), HasSubstr("service.methods"));
  request.methods = {""};
  EXPECT_THAT(error_of(request), HasSubstr("service.methods"));
}

TEST(ProviderUrl, RefusesKeysThatConsumersCutOutOfTheUrl) {
  EXPECT_THAT(error_of_parameter("bizpid", "7"), HasSubstr("\"bizpid\""));
  EXPECT_THAT(error_of_parameter("start.timestamp", "7"), HasSubstr("\"start.timestamp\""));
  EXPECT_THAT(error_of_parameter("pid", "7"), HasSubstr("\"pid\""));
}

TEST(ProviderUrl, LeavesOutOtherProtocolsWithAWarning) {
  PublicationRequest request = publication();
  request.parameters = {{"ext.protocol", "tri"}, {"preferred.protocol", "tri"}};
  const auto built = build_provider_url(request, context());
  ASSERT_TRUE(built);
  EXPECT_THAT(built->url.to_string(), Not(HasSubstr("protocol")));
  EXPECT_THAT(built->warnings,
              ElementsAre(HasSubstr("ext.protocol"), HasSubstr("preferred.protocol")));
}

TEST(ProviderUrl, RefusesWrongInterfacesPatternsAndLists) {
  for (const std::string& name :
       {std::string(), std::string("a/b"), std::string("a b"), std::string(257, 'a')}) {
    PublicationRequest request = publication();
    request.service.interface = name;
    EXPECT_THAT(error_of(request), HasSubstr("service.interface"));
  }
  for (const char* pattern : {"*", "a*", "a,b"}) {
    PublicationRequest request = publication();
    request.service.group = pattern;
    EXPECT_THAT(error_of(request), HasSubstr("service.group"));
    request = publication();
    request.service.version = pattern;
    EXPECT_THAT(error_of(request), HasSubstr("service.version"));
  }
}

TEST(ProviderUrl, LimitsWhatItTakes) {
  PublicationRequest request = publication();
  request.service.group = std::string(kMaxNameBytes + 1, 'g');
  EXPECT_THAT(error_of(request), HasSubstr("257 bytes"));
  request = publication();
  request.methods.assign(kMaxMethods + 1, "m");
  EXPECT_THAT(error_of(request), HasSubstr("1001 entries"));
  request = publication();
  for (std::size_t i = 0; i <= kMaxParameters; ++i)
    request.parameters["k" + std::to_string(i)] = "";
  EXPECT_THAT(error_of(request), HasSubstr("201 entries"));
  EXPECT_THAT(error_of_parameter("long", std::string(kMaxRegisteredUrlBytes, 'x')),
              HasSubstr("32768"));
}

TEST(ConsumerUrl, SaysWhatConsolesShow) {
  SubscriptionRequest request;
  request.service = {"com.example.DemoService", "*", "1.0.0"};
  const auto built = build_consumer_url(request, context());
  ASSERT_TRUE(built);
  dubbo::Url url = built->url;
  url.port = 0;
  EXPECT_EQ(url.to_string(),
            "consumer://10.0.0.5/com.example.DemoService?application=skiff&category=consumers&"
            "check=false&dubbo=2.0.2&group=*&interface=com.example.DemoService&pid=4711&side="
            "consumer&sticky=false&timestamp=1764000000000&version=1.0.0");
  EXPECT_EQ(built->url.port, 0);
}

TEST(InterfaceName, AllowsWhatJavaAllowsAndMore) {
  for (const char* name : {"a", "com.example.A$B", "a_b-c", "Greeter9"}) {
    EXPECT_TRUE(is_interface_name(name)) << name;
  }
  for (const char* name : {"", ".", "..", "a/b", "a:b", "a*", "a b", "\xc3\xa9"}) {
    EXPECT_FALSE(is_interface_name(name)) << name;
  }
}

}  // namespace
}  // namespace skiff::registry
