#include "agent/api.h"

#include <gmock/gmock.h>

#include "support/api_fixture.h"

namespace skiff::agent {
namespace {

using namespace std::chrono_literals;
using registry::VerbOutcome;
using registry::VerbState;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ApiVerbs : public ApiFixture {
 protected:
  static std::string body(const std::string& interface) {
    return R"({"service":{"interface":")" + interface + R"("}})";
  }
};

TEST_F(ApiVerbs, PublishSaysWhatIsInTheRegistry) {
  const ApiResponse response = post("/publish", body("com.example.Demo"));
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.content_type, "application/json");
  EXPECT_EQ(response.body, R"({"err_no":0,"err_msg":"publish success","state":"registered",)"
                           R"("url":"dubbo://10.0.0.5:20882/com.example.Demo"})");
}

TEST_F(ApiVerbs, HaveMosnsNamesAndWordsToo) {
  plane_.services["a"] = {};
  EXPECT_EQ(json(post("/pub", body("a")))["err_msg"], "publish success");
  EXPECT_EQ(json(post("/unpub", body("a")))["err_msg"], "unpub success");
  EXPECT_EQ(json(post("/sub", body("a")))["err_msg"], "subscribe success");
  EXPECT_EQ(json(post("/unsub", body("a")))["err_msg"], "unsubscribe success");
  EXPECT_EQ(json(post("/unpublish", body("a")))["state"], "unregistered");
  EXPECT_EQ(json(post("/unsubscribe", body("a")))["state"], "unsubscribed");
}

TEST_F(ApiVerbs, SubscribeCountsProvidersAndNamesTheirDefaults) {
  VerbOutcome outcome;
  outcome.state = VerbState::kSubscribed;
  outcome.providers = registry::listed(
      {*dubbo::Url::parse("dubbo://10.0.0.5:20882/a"),
       *dubbo::Url::parse("dubbo://10.0.0.6:20882/a?timeout=2000&serialization=fastjson2")});
  plane_.answers.emplace("a", outcome);
  const auto answer = json(post("/subscribe", body("a")));
  EXPECT_EQ(answer["state"], "subscribed");
  EXPECT_EQ(answer["providers"], 2);
  EXPECT_EQ(answer["defaults"]["timeout"], "2000");
  EXPECT_EQ(answer["defaults"]["serialization"], "fastjson2");
}

TEST_F(ApiVerbs, PendingIsAccepted) {
  VerbOutcome outcome;
  outcome.reason = "registry zookeeper://a:1 is not connected";
  outcome.url = "dubbo://u";
  plane_.answers.emplace("a", outcome);
  const ApiResponse response = post("/publish", body("a"));
  EXPECT_EQ(response.status, 202);
  EXPECT_EQ(json(response)["err_no"], 0);
  EXPECT_EQ(json(response)["err_msg"], "publish accepted");
  EXPECT_EQ(json(response)["state"], "pending");
  EXPECT_EQ(json(response)["reason"], outcome.reason);
}

TEST_F(ApiVerbs, ErrorsOfTheControlPlaneHaveTheirStatus) {
  plane_.answers.emplace("bad", fail(ErrorCode::kInvalidArgument, "registry: no"));
  plane_.answers.emplace("none", fail(ErrorCode::kNotFound, "there is none"));
  plane_.answers.emplace("away", fail(ErrorCode::kUnavailable, "stopping"));
  EXPECT_EQ(post("/publish", body("bad")).status, 400);
  EXPECT_EQ(post("/unpublish", body("none")).status, 404);
  EXPECT_EQ(post("/publish", body("away")).status, 503);
  EXPECT_EQ(post("/unpublish", body("none")).body, R"({"err_no":1,"err_msg":"there is none"})");
}

TEST_F(ApiVerbs, WrongBodiesReachNobody) {
  const ApiResponse response = post("/publish", R"({"service":{"interface":"a","port":0}})");
  EXPECT_EQ(response.status, 400);
  EXPECT_EQ(json(response)["err_no"], 1);
  EXPECT_THAT(json(response)["err_msg"], HasSubstr("service.port: came 0, expected"));
  EXPECT_TRUE(plane_.published.empty());
}

TEST_F(ApiVerbs, WaitIsThreeSecondsUnlessGiven) {
  post("/publish", body("a"));
  post("/publish", body("a"), {{"wait", "0"}});
  post("/subscribe", body("a"), {{"wait", "500ms"}});
  post("/unpublish", body("a"), {{"wait", "60s"}});
  post("/unsubscribe", body("a"), {{"wait", "1m"}});
  EXPECT_THAT(plane_.waits, ElementsAre(3000ms, 0ms, 500ms, 60'000ms, 60'000ms));
}

TEST_F(ApiVerbs, WrongWaitsAreRefused) {
  for (const char* wait : {"", "1", "-1s", "61s", "2m", "1h", "abc", "1s "}) {
    const ApiResponse response = post("/publish", body("a"), {{"wait", wait}});
    EXPECT_EQ(response.status, 400) << wait;
    EXPECT_THAT(json(response)["err_msg"], HasSubstr("wait: came \"")) << wait;
  }
  EXPECT_TRUE(plane_.published.empty());
}

TEST_F(ApiVerbs, WarningsOfAllSourcesAreInTheAnswer) {
  VerbOutcome outcome;
  outcome.state = VerbState::kRegistered;
  outcome.warnings = {"from the control plane"};
  plane_.answers.emplace("a", outcome);
  const auto answer = json(post("/publish", R"({"x":1,"service":{"interface":"a","y":1}})"));
  EXPECT_THAT(answer["warnings"],
              ElementsAre("unknown field \"service.y\" was ignored", "from the control plane",
                          "unknown field \"x\" was ignored"));
}

TEST_F(ApiVerbs, AreRefusedWhileTheAgentStops) {
  backend_.stopping = true;
  EXPECT_EQ(post("/publish", body("a")).status, 503);
  EXPECT_TRUE(plane_.published.empty());
}

TEST_F(ApiVerbs, AnswerThatComesTooLateHarmsNobody) {
  plane_.hold_interface = "a";
  const ApiResponse response = post("/publish", body("a"), {{"wait", "0"}});
  EXPECT_EQ(response.status, 503);
  EXPECT_THAT(json(response)["err_msg"], HasSubstr("not known whether"));
  EXPECT_TRUE(control_.ask([this](registry::ControlPlane&) {
    plane_.release();
    return true;
  }));
}

class ApiLifeCycle : public ApiFixture {};

TEST_F(ApiLifeCycle, StoppingWithdrawsThenDrainsThenAnswers) {
  post("/publish", R"({"service":{"interface":"a","port":7}})");
  const ApiResponse response = post("/stopping", R"({"service":{"interface":"a","port":7}})");
  EXPECT_EQ(response.status, 200) << response.body;
  EXPECT_EQ(json(response)["state"], "unregistered");
  EXPECT_THAT(plane_.suspended, ElementsAre("a"));
  EXPECT_TRUE(plane_.consumers_told);
  EXPECT_THAT(backend_.drained_ports, ElementsAre(7));
}

TEST_F(ApiLifeCycle, StoppingIsPendingWhileRequestsAreInFlight) {
  post("/publish", R"({"service":{"interface":"a","port":7}})");
  backend_.in_flight = 3;
  const ApiResponse response =
      post("/stopping", R"({"service":{"interface":"a","port":7}})", {{"wait", "50ms"}});
  EXPECT_EQ(response.status, 202);
  EXPECT_EQ(json(response)["state"], "pending");
  EXPECT_EQ(json(response)["reason"], "3 requests are still in flight");
}

TEST_F(ApiLifeCycle, StoppingDoesNotWaitForAPortThatOthersGoOnUsing) {
  post("/publish", R"({"service":[{"interface":"a","port":7},{"interface":"b","port":7}]})");
  backend_.in_flight = 3;
  EXPECT_EQ(post("/stopping", R"({"service":{"interface":"a","port":7}})").status, 200);
}

TEST_F(ApiLifeCycle, AnEmptyBodyMeansEveryPublication) {
  EXPECT_EQ(post("/stopping", "").status, 200) << "there is none";
  post("/publish", R"({"service":[{"interface":"a","port":7},{"interface":"b","port":8}]})");
  const ApiResponse stopped = post("/stopping", " \n");
  EXPECT_EQ(stopped.status, 200);
  EXPECT_EQ(json(stopped)["results"].size(), 2U);
  EXPECT_THAT(plane_.suspended, ElementsAre("a", "b"));
  const ApiResponse ready = post("/ready", "");
  EXPECT_EQ(ready.status, 200);
  EXPECT_THAT(plane_.resumed, ElementsAre("a", "b"));
  EXPECT_EQ(post("/publish", "").status, 400) << "elsewhere it means nothing";
}

class ApiDrain : public ApiFixture {};

TEST_F(ApiDrain, WithdrawsThenDrainsThenReports) {
  post("/publish", R"({"service":[{"interface":"a","port":7},{"interface":"b","port":8}]})");
  plane_.withdrawn = {{.service = {"a", "", ""}, .port = 7, .registry = "memory", .reason = ""}};
  const ApiResponse response = post("/drain", "");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body,
            R"({"err_no":0,"err_msg":"drain success","state":"drained","in_flight":0,)"
            R"("publications":[{"interface":"a","group":"","version":"","port":7,)"
            R"("registry":"memory","state":"unregistered"}]})");
  EXPECT_TRUE(plane_.drained);
  EXPECT_TRUE(plane_.consumers_told);
  EXPECT_THAT(backend_.drained_ports, ElementsAre(7, 8));
  EXPECT_EQ(plane_.waits.back(), 15'000ms) << "half of the time";
}

TEST_F(ApiDrain, IsPendingWithAllReasons) {
  post("/publish", R"({"service":{"interface":"a","port":7}})");
  plane_.withdrawn = {
      {.service = {"a", "", ""}, .port = 7, .registry = "r", .reason = "r is away"}};
  backend_.in_flight = 3;
  const ApiResponse response = post("/drain", "", {{"wait", "50ms"}});
  EXPECT_EQ(response.status, 202);
  const auto answer = json(response);
  EXPECT_EQ(answer["err_msg"], "drain accepted");
  EXPECT_EQ(answer["state"], "pending");
  EXPECT_EQ(answer["reason"], "r is away; 3 requests are still in flight");
  EXPECT_EQ(answer["in_flight"], 3);
  EXPECT_EQ(answer["publications"][0]["state"], "pending");
  EXPECT_EQ(answer["publications"][0]["reason"], "r is away");
  EXPECT_TRUE(plane_.drained) << "all the same";
}

TEST_F(ApiDrain, UndrainSaysWhatIsRegistered) {
  post("/publish", R"({"service":{"interface":"a","port":7}})");
  post("/drain", "");
  EXPECT_EQ(json(request("GET", "/publications"))["publications"][0]["state"], "drained");
  const ApiResponse done = post("/undrain", "");
  EXPECT_EQ(done.status, 200);
  EXPECT_EQ(json(done)["state"], "serving");
  EXPECT_EQ(json(done)["publications"][0]["state"], "registered");
  EXPECT_FALSE(plane_.drained);
  plane_.undrain_reason = "the provider is down";
  const ApiResponse pending = post("/undrain", "");
  EXPECT_EQ(pending.status, 202);
  EXPECT_EQ(json(pending)["reason"], "the provider is down");
}

TEST_F(ApiDrain, IsRefusedWhereItIsWrongOrTheAgentStops) {
  for (const char* path : {"/drain", "/undrain"}) {
    EXPECT_EQ(post(path, "", {{"wait", "61s"}}).status, 400);
    EXPECT_EQ(request("GET", path).status, 405);
  }
  backend_.stopping = true;
  for (const char* path : {"/drain", "/undrain"}) EXPECT_EQ(post(path, "").status, 503);
  EXPECT_FALSE(plane_.drained);
}

TEST_F(ApiDrain, IsShownWhereverOneLooks) {
  const auto metrics = [this] { return request("GET", "/metrics").body; };
  EXPECT_THAT(metrics(), HasSubstr("\nskiff_drained 0\n"));
  EXPECT_EQ(json(request("GET", "/status"))["drained"], false);
  post("/drain", "");
  EXPECT_THAT(metrics(), HasSubstr("\nskiff_drained 1\n"));
  EXPECT_EQ(json(request("GET", "/status"))["drained"], true);
}

class ApiBatches : public ApiFixture {};

TEST_F(ApiBatches, PublishTogetherWithAResultForEach) {
  const ApiResponse response =
      post("/publish", R"({"service":[{"interface":"a"},{"interface":"b","z":1}]})");
  EXPECT_EQ(response.status, 200);
  const auto answer = json(response);
  EXPECT_EQ(answer["err_no"], 0);
  EXPECT_EQ(answer["err_msg"], "publish success");
  ASSERT_EQ(answer["results"].size(), 2U);
  EXPECT_EQ(answer["results"][0]["interface"], "a");
  EXPECT_EQ(answer["results"][0]["status"], 200);
  EXPECT_EQ(answer["results"][0]["state"], "registered");
  EXPECT_EQ(answer["results"][1]["warnings"].size(), 1U);
}

TEST_F(ApiBatches, WithdrawTogether) {
  const ApiResponse response = post(
      "/unpublish", R"([{"service":{"interface":"a"}},{"service":{"interface":"b","port":7}}])");
  EXPECT_EQ(response.status, 200);
  ASSERT_EQ(plane_.unpublished.size(), 2U);
  EXPECT_EQ(plane_.unpublished[1].second, 7);
}

TEST_F(ApiBatches, DoNothingWhereOneServiceIsWrong) {
  const ApiResponse response =
      post("/publish", R"({"service":[{"interface":"a"},{"interface":"b","port":0}]})");
  EXPECT_EQ(response.status, 400);
  EXPECT_THAT(json(response)["err_msg"], HasSubstr("service[1].port: came 0"));
  EXPECT_TRUE(plane_.published.empty());
}

TEST_F(ApiBatches, ArePendingWhereOneServiceIs) {
  plane_.answers.emplace("b", VerbOutcome{});
  const ApiResponse response =
      post("/publish", R"({"service":[{"interface":"a"},{"interface":"b"}]})");
  EXPECT_EQ(response.status, 202);
  EXPECT_EQ(json(response)["results"][0]["status"], 200);
  EXPECT_EQ(json(response)["results"][1]["status"], 202);
  EXPECT_EQ(json(response)["err_no"], 0);
}

TEST_F(ApiBatches, HaveTheStatusOfTheirWorstService) {
  plane_.answers.emplace("pending", VerbOutcome{});
  plane_.answers.emplace("none", fail(ErrorCode::kNotFound, "there is none"));
  plane_.answers.emplace("bad", fail(ErrorCode::kInvalidArgument, "no"));
  const auto status = [this](const std::string& last) {
    return post("/unpublish", R"({"service":[{"interface":"a"},{"interface":"pending"},)"
                              R"({"interface":"none"},{"interface":")" +
                                  last + R"("}]})");
  };
  EXPECT_EQ(status("a").status, 404);
  const ApiResponse worst = status("bad");
  EXPECT_EQ(worst.status, 400);
  EXPECT_EQ(json(worst)["err_no"], 1);
  EXPECT_EQ(json(worst)["err_msg"], "2 of 4 services failed");
  EXPECT_EQ(json(worst)["results"][0]["err_no"], 0);
  EXPECT_EQ(json(worst)["results"][3]["err_msg"], "no");
}

class ApiRouting : public ApiFixture {};

TEST_F(ApiRouting, SaysWhichMethodAPathTakes) {
  const ApiResponse get = request("GET", "/publish");
  EXPECT_EQ(get.status, 405);
  EXPECT_EQ(get.allow, "POST");
  EXPECT_EQ(json(get)["err_no"], 1);
  const ApiResponse deleted = request("DELETE", "/services/a");
  EXPECT_EQ(deleted.status, 405);
  EXPECT_EQ(deleted.allow, "GET, HEAD");
}

TEST_F(ApiRouting, RefusesUnknownPaths) {
  for (const char* path :
       {"/nothing", "/publish/", "/services/", "/services/a/b", "", "//", "/x\ny"}) {
    const ApiResponse response = request("GET", path);
    EXPECT_EQ(response.status, 404) << path;
    EXPECT_EQ(json(response)["err_no"], 1) << path;
  }
}

TEST_F(ApiRouting, RefusesBodiesThatAreTooLarge) {
  ApiRequest too_large;
  too_large.method = "POST";
  too_large.path = "/publish";
  too_large.body_too_large = true;
  const ApiResponse response = api_.handle(too_large);
  EXPECT_EQ(response.status, 413);
  EXPECT_THAT(json(response)["err_msg"], HasSubstr("more than 1048576 bytes"));
}

}  // namespace
}  // namespace skiff::agent
