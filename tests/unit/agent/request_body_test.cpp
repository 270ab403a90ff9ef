#include "agent/request_body.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace skiff::agent {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string with_service(const std::string& fields) {
  return R"({"service":{"interface":"com.example.Demo",)" + fields + "}}";
}

struct WrongBody {
  std::string body;
  std::string sentence;
};

// What a failed test prints.
std::ostream& operator<<(std::ostream& out, const WrongBody& wrong) { return out << wrong.body; }

class WrongBodyTest : public testing::TestWithParam<WrongBody> {};

TEST_P(WrongBodyTest, IsRefusedByEveryVerbWithASentence) {
  for (const Verb verb : {Verb::kPublish, Verb::kUnpublish, Verb::kSubscribe, Verb::kUnsubscribe}) {
    const auto body = parse_request_body(verb, GetParam().body);
    ASSERT_FALSE(body) << GetParam().body;
    EXPECT_EQ(body.error().code, ErrorCode::kInvalidArgument);
    EXPECT_THAT(body.error().message, HasSubstr(GetParam().sentence));
  }
}

INSTANTIATE_TEST_SUITE_P(
    Shape, WrongBodyTest,
    testing::Values(
        WrongBody{"", "body: came nothing, expected {\"service\""},
        WrongBody{" \r\n\t", "body: came nothing"},
        WrongBody{"nonsense", "body: came what is not JSON"},
        WrongBody{"{", "body: came what is not JSON"},
        WrongBody{"{}x", "body: came what is not JSON"},
        WrongBody{"{\"service\":{\"interface\":\"\xff\"}}", "body: came what is not JSON in UTF-8"},
        WrongBody{"{\"service\":{\"interface\":\"\\ud800\"}}", "body: came what is not JSON"},
        WrongBody{std::string("{\"a\":\"\0\"}", 9), "body: came what is not JSON"},
        WrongBody{"null", "body: came null, expected an object"},
        WrongBody{"12", "body: came 12, expected an object"},
        WrongBody{"\"x\"", "body: came \"x\", expected an object"},
        WrongBody{"true", "body: came true, expected an object"},
        WrongBody{"[]", "body: came an array of 0, expected 1 to 1000 services"},
        WrongBody{"[1]", "[0]: came 1, expected an object"},
        WrongBody{"[[]]", "[0]: came an empty array, expected an object"},
        WrongBody{"{}", "service: came nothing, expected an object or an array"},
        WrongBody{R"({"service":null})", "service: came nothing"},
        WrongBody{R"({"service":[]})", "service: came an array of 0"},
        WrongBody{R"({"service":"x"})", "service: came \"x\", expected an object"},
        WrongBody{R"({"service":{}})", "service.interface: came nothing, expected the name"},
        WrongBody{R"({"service":[{}]})", "service[0].interface: came nothing"},
        WrongBody{R"([{"service":[{"interface":"a"}]}])", "[0].service: came an array"},
        WrongBody{std::string(2000, '[') + std::string(2000, ']'),
                  "body: came JSON nested 2000 deep, expected at most 64"},
        WrongBody{std::string(2000, '['), "nested 2000 deep"}));

INSTANTIATE_TEST_SUITE_P(
    Fields, WrongBodyTest,
    testing::Values(
        WrongBody{R"({"service":{"interface":5}})", "service.interface: came 5, expected a string"},
        WrongBody{R"({"service":{"interface":""}})", "service.interface \"\": expected 1 to 256"},
        WrongBody{R"({"service":{"interface":"a b"}})", "service.interface \"a b\""},
        WrongBody{R"({"service":{"interface":"a/b"}})", "service.interface \"a/b\""},
        WrongBody{R"({"service":{"interface":"a\u0000b"}})", "service.interface"},
        WrongBody{with_service(R"("group":1)"), "service.group: came 1, expected a string"},
        WrongBody{with_service(R"("group":"a&b")"), "service.group \"a&b\" holds \"&\""},
        WrongBody{with_service(R"("version":1.0)"), "service.version: came 1.0, expected a string"},
        WrongBody{with_service(R"("version":{})"), "service.version: came an object"},
        WrongBody{with_service(R"("port":0)"),
                  "service.port: came 0, expected a whole number from 1 to 65535"},
        WrongBody{with_service(R"("port":65536)"), "service.port: came 65536"},
        WrongBody{with_service(R"("port":-1)"), "service.port: came -1"},
        WrongBody{with_service(R"("port":"abc")"), "service.port: came \"abc\""},
        WrongBody{with_service(R"("port":"0")"), "service.port: came \"0\""},
        WrongBody{with_service(R"("port":"")"), "service.port: came \"\""},
        WrongBody{with_service(R"("port":"20880 ")"), "service.port: came \"20880 \""},
        WrongBody{with_service(R"("port":1.5)"), "service.port: came 1.5"},
        WrongBody{with_service(R"("port":[1])"), "service.port: came an array"},
        WrongBody{with_service(R"("port":true)"), "service.port: came true"},
        WrongBody{with_service(R"("port":99999999999999999999999)"), "service.port: came"},
        WrongBody{with_service(R"("methods":"a")"),
                  "service.methods: came \"a\", expected an array"},
        WrongBody{with_service(R"("methods":["a",1])"), "service.methods[1]: came 1"},
        WrongBody{with_service(R"("application":[])"), "service.application: came an empty array"},
        WrongBody{with_service(R"("parameters":[])"), "service.parameters: came an empty array"},
        WrongBody{with_service(R"("parameters":{"weight":1})"),
                  "service.parameters.weight: came 1, expected a string"},
        WrongBody{with_service(R"("parameters":{"a":"b&c"})"), "service.parameters value of \"a\""},
        WrongBody{with_service(R"("check":"tcp")"),
                  "service.check: came \"tcp\", expected an object"},
        WrongBody{with_service(R"("check":{"type":"http"})"), "service.check.type: came \"http\""},
        WrongBody{with_service(R"("lease":"999ms")"),
                  "service.lease: came \"999ms\", expected a duration from 1s to 24h"},
        WrongBody{with_service(R"("check":{"interval":2})"), "service.check.interval: came 2"},
        WrongBody{with_service(R"("check":{"interval":"99ms"})"),
                  "service.check.interval: came \"99ms\", expected a duration from 100ms to 1h"},
        WrongBody{with_service(R"("check":{"timeout":"0"})"), "service.check.timeout: came \"0\""},
        WrongBody{with_service(R"("check":{"failures":0})"), "service.check.failures: came 0"},
        WrongBody{with_service(R"("check":{"successes":"1"})"), "service.check.successes"},
        WrongBody{R"({"registry":1,"service":{"interface":"a"}})", "registry: came 1"},
        WrongBody{R"({"registry":{"type":"zookeeper"},"service":{"interface":"a"}})",
                  "registry.addr: came \"\", expected host:port"},
        WrongBody{R"({"registry":{"type":"etcd","addr":"a:1"},"service":{"interface":"a"}})",
                  "registry.type: came \"etcd\", expected \"zookeeper\" or \"memory\""},
        WrongBody{R"({"registry":{"addr":"a:1"},"service":{"interface":"a"}})", "registry.type"},
        WrongBody{R"({"registry":{"type":"zookeeper","addr":"a:b"},"service":{"interface":"a"}})",
                  "registry.addr"},
        WrongBody{
            R"({"registry":{"type":"zookeeper","addr":"u:p@a:1"},"service":{"interface":"a"}})",
            "registry.addr"}));

TEST(RequestBody, RefusesPatternsInAPublicationOnly) {
  const std::string body = with_service(R"("group":"*","version":"*")");
  EXPECT_FALSE(parse_request_body(Verb::kPublish, body));
  EXPECT_TRUE(parse_request_body(Verb::kSubscribe, body));
}

TEST(RequestBody, ReadsEveryField) {
  const auto body = parse_request_body(
      Verb::kPublish,
      with_service(R"("group":"g","version":"1.0.0","port":20885,"methods":["a","b"],)"
                   R"("application":"shop","parameters":{"weight":"200"})"));
  ASSERT_TRUE(body) << body.error().message;
  EXPECT_FALSE(body->is_batch);
  EXPECT_THAT(body->warnings, IsEmpty());
  ASSERT_EQ(body->services.size(), 1U);
  const registry::PublicationRequest request = body->services[0].publication();
  EXPECT_EQ(request.service, (dubbo::ServiceKey{"com.example.Demo", "g", "1.0.0"}));
  EXPECT_EQ(request.port, 20885);
  EXPECT_THAT(request.methods, ElementsAre("a", "b"));
  EXPECT_EQ(request.application, "shop");
  EXPECT_EQ(request.parameters.at("weight"), "200");
  EXPECT_FALSE(request.registry);
}

TEST(RequestBody, ReadsWhatMosnsSdksSend) {
  const auto body = parse_request_body(Verb::kPublish, R"({
    "registry": {"type": "zookeeper", "addr": "127.0.0.1:2181", "username": "", "password": ""},
    "service": {"interface": "com.example.DemoService", "methods": ["sayHello"], "group": "",
                "version": "", "name": "DemoService", "port": "20880"}})");
  ASSERT_TRUE(body) << body.error().message;
  EXPECT_THAT(body->warnings, IsEmpty());
  const ServiceRequest& service = body->services.at(0);
  EXPECT_THAT(service.warnings, IsEmpty());
  EXPECT_EQ(service.port, 20880);
  EXPECT_EQ(service.registry, "zookeeper://127.0.0.1:2181");
}

TEST(RequestBody, KeepsUserAndPasswordOfTheRegistryApartFromItsAddress) {
  const auto body = parse_request_body(
      Verb::kSubscribe,
      R"({"registry":{"type":"zookeeper","addr":"a:1,b:2/x","username":"me","password":"p&w +%"},
          "service":{"interface":"a"}})");
  ASSERT_TRUE(body) << body.error().message;
  EXPECT_EQ(body->services[0].registry,
            "zookeeper://a:1,b:2/x?username=me&password=p%26w%20%2B%25");
}

TEST(RequestBody, NeverRepeatsARegistrysPassword) {
  const auto body = parse_request_body(
      Verb::kPublish,
      R"({"registry":{"type":"zookeeper","addr":"a:1","password":12345},"service":{"interface":"a"}})");
  ASSERT_FALSE(body);
  EXPECT_THAT(body.error().message, ::testing::Not(HasSubstr("12345")));
}

TEST(RequestBody, TakesAnEmptyRegistryForNone) {
  for (const char* registry : {"{}", "null", R"({"type":"","addr":""})"}) {
    const auto body =
        parse_request_body(Verb::kPublish, R"({"service":{"interface":"a"},"registry":)" +
                                               std::string(registry) + "}");
    ASSERT_TRUE(body) << body.error().message;
    EXPECT_FALSE(body->services[0].registry);
  }
}

TEST(RequestBody, TakesNullForAbsent) {
  const auto body = parse_request_body(
      Verb::kPublish,
      with_service(R"("group":null,"version":null,"port":null,"methods":null,"application":null,)"
                   R"("parameters":null,"check":null)"));
  ASSERT_TRUE(body) << body.error().message;
  EXPECT_EQ(body->services[0].port, 0);
}

TEST(RequestBody, TreatsVersionZeroAsAbsent) {
  EXPECT_EQ(parse_request_body(Verb::kPublish, with_service(R"("version":"0.0.0")"))
                ->services[0]
                .service.version,
            "");
}

TEST(RequestBody, WarnsOfUnknownFields) {
  const auto body = parse_request_body(
      Verb::kPublish,
      R"({"x":1,"registry":{"type":"memory","y":2},"service":{"interface":"a","z":3}})");
  ASSERT_TRUE(body) << body.error().message;
  EXPECT_THAT(body->warnings, ElementsAre("unknown field \"registry.y\" was ignored",
                                          "unknown field \"x\" was ignored"));
  EXPECT_THAT(body->services[0].warnings, ElementsAre("unknown field \"service.z\" was ignored"));
}

TEST(RequestBody, NamesOnlySomeOfManyUnknownFields) {
  nlohmann::json service = {{"interface", "a"}};
  for (int i = 0; i < 1000; ++i) service["f" + std::to_string(i)] = i;
  const auto body = parse_request_body(Verb::kPublish, nlohmann::json{{"service", service}}.dump());
  ASSERT_TRUE(body);
  EXPECT_EQ(body->services[0].warnings.size(), 21U);
  EXPECT_EQ(body->services[0].warnings.back(), "980 further unknown fields were ignored");
}

TEST(RequestBody, ReadsAHealthCheckAndFillsInWhatIsNotGiven) {
  using namespace std::chrono_literals;
  using registry::HealthCheck;
  const auto check_of = [](const std::string& service) {
    const auto body = parse_request_body(Verb::kPublish, with_service(service));
    EXPECT_TRUE(body) << body.error().message;
    EXPECT_THAT(body->services[0].warnings, IsEmpty());
    return body->services[0].publication().check;
  };
  EXPECT_EQ(check_of(R"("check":{"type":"tcp","interval":"5s","timeout":"300ms","failures":7,)"
                     R"("successes":2})"),
            (HealthCheck{HealthCheck::Type::kTcp, 5s, 300ms, 7, 2}));
  EXPECT_EQ(check_of(R"("check":{"type":"none"})").type, HealthCheck::Type::kNone);
  const HealthCheck defaults{HealthCheck::Type::kDubbo, 2s, 1s, 3, 1};
  EXPECT_EQ(check_of(R"("check":{})"), defaults);
  EXPECT_EQ(check_of(R"("port":1)"), defaults);
}

TEST(RequestBody, ReadsALease) {
  using namespace std::chrono_literals;
  const auto leased = parse_request_body(Verb::kPublish, with_service(R"("lease":"30s")"));
  ASSERT_TRUE(leased) << leased.error().message;
  EXPECT_EQ(leased->services[0].publication().lease, 30s);
  EXPECT_EQ(parse_request_body(Verb::kPublish, with_service(R"("port":1)"))
                ->services[0]
                .publication()
                .lease,
            std::nullopt);
}

TEST(RequestBody, ReadsAnArrayOfServices) {
  const auto body = parse_request_body(
      Verb::kPublish,
      R"({"registry":{"type":"memory"},"service":[{"interface":"a"},{"interface":"b","port":1}]})");
  ASSERT_TRUE(body) << body.error().message;
  EXPECT_TRUE(body->is_batch);
  ASSERT_EQ(body->services.size(), 2U);
  EXPECT_EQ(body->services[1].service.interface, "b");
  EXPECT_EQ(body->services[1].registry, "memory");
}

TEST(RequestBody, ReadsAnArrayOfBodies) {
  const auto body = parse_request_body(
      Verb::kPublish,
      R"([{"service":{"interface":"a"}},{"service":{"interface":"b"},"registry":{"type":"memory"}}])");
  ASSERT_TRUE(body) << body.error().message;
  EXPECT_TRUE(body->is_batch);
  ASSERT_EQ(body->services.size(), 2U);
  EXPECT_FALSE(body->services[0].registry);
  EXPECT_EQ(body->services[1].registry, "memory");
}

TEST(RequestBody, SaysWhichServiceOfAnArrayIsWrong) {
  const auto body = parse_request_body(
      Verb::kPublish, R"({"service":[{"interface":"a"},{"interface":"b","group":"x,y"}]})");
  ASSERT_FALSE(body);
  EXPECT_THAT(body.error().message, HasSubstr("service[1]: service.group \"x,y\""));
}

TEST(RequestBody, LimitsTheLengthOfAnArray) {
  nlohmann::json services = nlohmann::json::array();
  for (std::size_t i = 0; i < kMaxServicesPerRequest; ++i) services.push_back({{"interface", "a"}});
  EXPECT_TRUE(parse_request_body(Verb::kPublish, nlohmann::json{{"service", services}}.dump()));
  services.push_back({{"interface", "a"}});
  const auto body =
      parse_request_body(Verb::kPublish, nlohmann::json{{"service", services}}.dump());
  ASSERT_FALSE(body);
  EXPECT_THAT(body.error().message, HasSubstr("came an array of 1001, expected 1 to 1000"));
}

TEST(RequestBody, BracketsInStringsAreNoNesting) {
  const std::string many(100, '[');
  const auto body =
      parse_request_body(Verb::kPublish, with_service(R"("x":"\")" + many + R"(\\")"));
  EXPECT_TRUE(body) << body.error().message;
}

}  // namespace
}  // namespace skiff::agent
