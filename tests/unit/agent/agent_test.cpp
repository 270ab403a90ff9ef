// The whole agent in this process, with its real control plane (embedded registry) and data plane.

#include "agent/agent.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <thread>

#include "agent/state_dir.h"
#include "support/eventually.h"

namespace skiff::agent {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

AgentConfig loopback_config() {
  AgentConfig config;
  config.api = {ApiAddress{.host = "127.0.0.1", .port = 0, .path = {}}};
  config.forwarder.outbound = {.host = "", .port = 0, .local_only = true};
  config.forwarder.inbound = {.host = "127.0.0.1", .port = 0, .local_only = false};
  config.forwarder.workers = 2;
  config.advertise = "127.0.0.1";
  return config;
}

std::string address_of(Agent& agent, const std::string& name) {
  for (const ListenerInfo& listener : agent.listeners()) {
    if (listener.name == name) return listener.address;
  }
  return "";
}

httplib::Client client_of(Agent& agent) {
  return httplib::Client("http://" + address_of(agent, "api"));
}

// Nobody listens for it.
const std::string kService =
    R"({"service":{"interface":"com.example.Demo","version":"1.0.0","check":{"type":"none"}}})";

class RunningAgent : public testing::Test {
 protected:
  RunningAgent() {
    auto agent = Agent::start(loopback_config());
    if (!agent) throw std::runtime_error(agent.error().message);
    agent_ = std::move(*agent);
  }
  std::unique_ptr<Agent> agent_;
};

TEST_F(RunningAgent, IsReadyOnceTheEmbeddedRegistryIsThere) {
  EXPECT_TRUE(eventually([this] { return agent_->readiness().ready; }));
  EXPECT_EQ(client_of(*agent_).Get("/readyz")->status, 200);
  EXPECT_TRUE(agent_->is_alive());
}

TEST_F(RunningAgent, PublishesWithThePortItReallyHas) {
  httplib::Client http = client_of(*agent_);
  const auto answer = json::parse(http.Post("/publish", kService, "text/plain")->body);
  EXPECT_EQ(answer["state"], "registered") << answer;
  EXPECT_THAT(
      answer["url"].get<std::string>(),
      testing::StartsWith("dubbo://" + address_of(*agent_, "inbound") + "/com.example.Demo?"));
  EXPECT_THAT(address_of(*agent_, "inbound"), Not(testing::EndsWith(":0")));
}

TEST_F(RunningAgent, PublishesNothingAtItsOwnPorts) {
  httplib::Client client = client_of(*agent_);
  for (const char* listener : {"outbound", "inbound"}) {
    const std::string address = address_of(*agent_, listener);
    const std::string port = address.substr(address.rfind(':') + 1);
    const auto refused = client.Post(
        "/publish", R"({"service":{"interface":"com.example.Demo","port":)" + port + "}}",
        "application/json");
    ASSERT_TRUE(refused);
    EXPECT_EQ(refused->status, 400);
    EXPECT_THAT(refused->body, HasSubstr("is the agent's own"));
  }
}

TEST_F(RunningAgent, RoutesWhatItsRegistryLists) {
  httplib::Client http = client_of(*agent_);
  http.Post("/publish", kService, "text/plain");
  const auto subscribed = json::parse(http.Post("/subscribe", kService, "text/plain")->body);
  EXPECT_EQ(subscribed["providers"], 1) << subscribed;
  EXPECT_TRUE(eventually([&] {
    const auto status = json::parse(http.Get("/status")->body);
    return status["traffic"]["gauges"]["routes"] == 1 &&
           status["subscriptions"][0]["endpoints"][0]["address"] == address_of(*agent_, "inbound");
  }));
  EXPECT_EQ(http.Post("/unsubscribe", kService, "text/plain")->status, 200);
  EXPECT_TRUE(eventually(
      [&] { return json::parse(http.Get("/status")->body)["traffic"]["gauges"]["routes"] == 0; }));
}

TEST_F(RunningAgent, TakesBackOnlyWhatIsThere) {
  httplib::Client http = client_of(*agent_);
  EXPECT_EQ(http.Post("/unpublish", kService, "text/plain")->status, 404);
  EXPECT_EQ(http.Post("/publish", kService, "text/plain")->status, 200);
  EXPECT_EQ(http.Post("/publish", kService, "text/plain")->status, 200);
  EXPECT_EQ(http.Post("/unpublish", kService, "text/plain")->status, 200);
  EXPECT_EQ(http.Post("/unpublish", kService, "text/plain")->status, 404);
  EXPECT_EQ(http.Post("/unsubscribe", kService, "text/plain")->status, 404);
}

TEST_F(RunningAgent, PublishesAThousandServicesTogether) {
  json services = json::array();
  for (int i = 0; i < 1000; ++i)
    services.push_back({{"interface", "S" + std::to_string(i)}, {"check", {{"type", "none"}}}});
  httplib::Client http = client_of(*agent_);
  http.set_read_timeout(60s);
  const auto response = http.Post("/publish", json{{"service", services}}.dump(), "text/plain");
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(json::parse(response->body)["results"].size(), 1000U);
  EXPECT_EQ(json::parse(http.Get("/publications")->body)["publications"].size(), 1000U);
}

TEST_F(RunningAgent, StopsInOrder) {
  client_of(*agent_).Post("/publish", kService, "text/plain");
  const auto start = std::chrono::steady_clock::now();
  agent_->stop();
  EXPECT_LT(std::chrono::steady_clock::now() - start, 10s);
  EXPECT_FALSE(agent_->readiness().ready);
}

TEST_F(RunningAgent, AnswersCallsThatWaitWhenItStops) {
  const std::string registry =
      R"("registry":{"type":"zookeeper","addr":"127.0.0.1:1"},"service":{"interface":"a"})";
  std::thread waiting([&] {
    httplib::Client http = client_of(*agent_);
    http.set_read_timeout(60s);
    const auto response = http.Post("/publish?wait=60s", "{" + registry + "}", "text/plain");
    ASSERT_TRUE(response) << httplib::to_string(response.error());
    EXPECT_TRUE(response->status == 503 || response->status == 202) << response->body;
  });
  EXPECT_TRUE(eventually([this] {
    return !json::parse(client_of(*agent_).Get("/publications")->body)["publications"].empty();
  }));
  const auto start = std::chrono::steady_clock::now();
  agent_->stop();
  waiting.join();
  EXPECT_LT(std::chrono::steady_clock::now() - start, 20s);
}

TEST(AgentRestart, FindsTheRoutesOfTheApiAgain) {
  std::string folder = testing::TempDir() + "skiff-state-XXXXXX";
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  AgentConfig config = loopback_config();
  config.state_dir = folder;
  const std::string text = "domains: a.Demo\nroutes: [{cluster: x}]\nclusters: [{name: x}]\n";
  {
    const auto first = Agent::start(config);
    ASSERT_TRUE(first) << first.error().message;
    EXPECT_EQ(client_of(**first).Put("/routes/demo", text, "text/plain")->status, 200);
  }
  {
    const auto second = Agent::start(config);
    ASSERT_TRUE(second) << second.error().message;
    EXPECT_EQ(json::parse(client_of(**second).Get("/routes/demo")->body)["text"], text);
    EXPECT_EQ(client_of(**second).Delete("/routes/demo")->status, 200);
    httplib::Client page = client_of(**second);
    page.set_default_headers({{"Origin", "http://example.com"}});
    EXPECT_EQ(page.Put("/routes/demo", text, "text/plain")->status, 403);
  }
  std::filesystem::remove_all(folder);
}

TEST(AgentRestart, StaysDrainedAndStartsAllTheSame) {
  std::string folder = testing::TempDir() + "skiff-state-XXXXXX";
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  AgentConfig config = loopback_config();
  config.state_dir = folder;
  const auto publication = [](Agent& agent) {
    return json::parse(client_of(agent).Get("/publications")->body)["publications"].at(0);
  };
  {
    const auto first = Agent::start(config);
    ASSERT_TRUE(first) << first.error().message;
    client_of(**first).Post("/publish", kService, "text/plain");
    EXPECT_EQ(client_of(**first).Post("/drain")->status, 200);
    EXPECT_EQ(client_of(**first).Get("/readyz")->status, 503);
  }
  {
    const auto second = Agent::start(config);
    ASSERT_TRUE(second) << second.error().message;
    EXPECT_TRUE(eventually([&] { return (*second)->startup().ready; }));
    EXPECT_FALSE((*second)->readiness().ready);
    EXPECT_EQ((*second)->readiness().reason, "drained");
    EXPECT_EQ(client_of(**second).Get("/healthz")->status, 200);
    EXPECT_EQ(publication(**second)["state"], "drained");
    EXPECT_EQ(client_of(**second).Post("/undrain")->status, 200);
    EXPECT_EQ(publication(**second)["state"], "registered");
    EXPECT_TRUE((*second)->readiness().ready);
  }
  std::filesystem::remove_all(folder);
}

TEST(AgentStart, SaysWhichPortIsTaken) {
  AgentConfig config = loopback_config();
  const auto first = Agent::start(config);
  ASSERT_TRUE(first);
  for (const ListenerInfo& listener : (*first)->listeners()) {
    AgentConfig second = loopback_config();
    const auto port = static_cast<std::uint16_t>(
        std::stoi(listener.address.substr(listener.address.rfind(':') + 1)));
    if (listener.name == "api") second.api.front().port = port;
    if (listener.name == "outbound") second.forwarder.outbound.port = port;
    if (listener.name == "inbound") second.forwarder.inbound.port = port;
    const auto started = Agent::start(second);
    ASSERT_FALSE(started) << listener.name;
    EXPECT_THAT(started.error().message, HasSubstr("--" + listener.name));
    EXPECT_THAT(started.error().message, HasSubstr(std::to_string(port)));
  }
}

TEST(AgentStart, WithARegistryThatIsAwayIsReadyAfterAWhile) {
  AgentConfig config = loopback_config();
  config.registries = {"zookeeper://127.0.0.1:1"};
  const auto agent = Agent::start(config);
  ASSERT_TRUE(agent) << agent.error().message;
  EXPECT_FALSE((*agent)->readiness().ready);
  EXPECT_TRUE(eventually([&] { return (*agent)->readiness().ready; }));
  const auto ready = json::parse(client_of(**agent).Get("/readyz")->body);
  EXPECT_EQ(ready["registries"][0]["connected"], false);
}

TEST(StateDir, IsCreatedAndMustBeWritable) {
  std::string folder = testing::TempDir() + "skiff-state-XXXXXX";
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  const std::string wanted = folder + "/state";
  EXPECT_EQ(choose_state_dir(wanted), wanted);
  EXPECT_EQ(choose_state_dir(wanted), wanted);
  EXPECT_EQ(rmdir(wanted.c_str()), 0);
  EXPECT_THAT(choose_state_dir(folder + "/a/b").error().message,
              HasSubstr("/a/b: cannot be created: No such file"));
  EXPECT_EQ(rmdir(folder.c_str()), 0);
  EXPECT_THAT(choose_state_dir("/proc/version").error().message, HasSubstr("is not a folder"));
  EXPECT_THAT(choose_state_dir("/proc/skiff").error().message, HasSubstr("cannot be created"));
  EXPECT_TRUE(choose_state_dir(""));
}

}  // namespace
}  // namespace skiff::agent
