// What becomes of requests as the mode of their cluster says: failfast, failsafe, failback,
// forking, broadcast, available, and sticky beside them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "forwarder/limits.h"
#include "support/answering_provider.h"
#include "support/forwarder_fixture.h"

namespace skiff::forwarder {
namespace {

using dubbo::Status;
using governance::ClusterMode;
using governance::Policy;
using governance::ProviderEndpoint;
using testing::AnsweringProvider;
using ::testing::Each;
using ::testing::ElementsAre;
using testing::eventually;
using ::testing::HasSubstr;
using testing::RawListener;
using testing::RawPeer;
using testing::request_frame;
using testing::response_frame;
using ::testing::UnorderedElementsAre;

constexpr const char* kNull = "\x92";  // hessian2: response type 2

class ClusterModes : public testing::ForwarderFixture {
 protected:
  void route_by(const Policy& policy, const std::vector<std::uint16_t>& ports) {
    std::vector<ProviderEndpoint> providers;
    providers.reserve(ports.size());
    for (const std::uint16_t port : ports) providers.push_back(provider_at(port));
    providers.front().retries = 2;
    governance::Cluster cluster;
    cluster.providers = providers;
    cluster.policies = std::make_shared<governance::Policies>(
        governance::Policies{.policy = policy, .methods = {}});
    route_clusters({cluster});
  }
  static Policy by(ClusterMode mode) {
    Policy policy;
    policy.mode = mode;
    return policy;
  }
  RawPeer consumer() { return RawPeer::connect(forwarder_->outbound_port()); }
  // How probably a request with this argument goes to each provider, as explained.
  std::vector<double> probabilities(const std::string& argument = "x") {
    const auto explanation = forwarder_->explain(
        {.interface = "a.Service", .method = "hi", .arguments = {argument}}, testing::kDeadline);
    EXPECT_TRUE(explanation);
    std::vector<double> found;
    for (const auto& provider : explanation->providers) found.push_back(provider.probability);
    return found;
  }
  // Sends a request and returns the one answer to it.
  testing::ReceivedFrame call(RawPeer& client, std::uint64_t id) {
    client.send(request_frame({.id = id}));
    auto answer = client.receive();
    EXPECT_TRUE(answer);
    EXPECT_EQ(answer->header.request_id, id);
    return *answer;
  }
};

TEST_F(ClusterModes, BroadcastTellsEachProviderItsOwnToken) {
  start();
  RawListener second;
  governance::Cluster cluster;
  cluster.providers = {provider_at(provider_.port()), provider_at(second.port())};
  cluster.providers[0].token = "first";
  cluster.providers[1].token = "other";
  cluster.policies = std::make_shared<governance::Policies>(
      governance::Policies{.policy = by(ClusterMode::kBroadcast), .methods = {}});
  route_clusters({cluster});
  RawPeer client = consumer();
  client.send(request_frame({.id = 7, .attachments = {{"a", "b"}}}));
  RawPeer to_first = provider_.accept();
  RawPeer to_second = second.accept();
  EXPECT_TRUE(
      to_first.receive()->body().ends_with("\x05token\x05"
                                           "firstZ"));
  EXPECT_TRUE(
      to_second.receive()->body().ends_with("\x05token\x05"
                                            "otherZ"));
}

TEST_F(ClusterModes, FailfastDoesNotSendAgainWhatWasSent) {
  start();
  route_by(by(ClusterMode::kFailfast), {provider_.port()});
  RawPeer client = consumer();
  client.send(request_frame({.id = 7}));
  RawPeer upstream = provider_.accept();
  ASSERT_TRUE(upstream.receive());
  upstream.close();
  const auto answer = client.receive();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->header.status, Status::kServerError);
  EXPECT_EQ(counter("outbound_retries_of_sent_total"), 0U);
}

TEST_F(ClusterModes, FailsafeAnswersWithNullWhereTheConnectionIsLost) {
  start();
  route_by(by(ClusterMode::kFailsafe), {provider_.port()});
  RawPeer client = consumer();
  client.send(request_frame({.id = 7}));
  RawPeer upstream = provider_.accept();
  ASSERT_TRUE(upstream.receive());
  upstream.close();
  const auto answer = client.receive();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->header.request_id, 7U);
  EXPECT_EQ(answer->header.status, Status::kOk);
  EXPECT_EQ(answer->body(), kNull);
  EXPECT_EQ(counter("outbound_failures_answered_null_total"), 1U);
}

TEST_F(ClusterModes, FailsafeAnswersWithNullWhereTheProviderSaysAnError) {
  start();
  AnsweringProvider provider;
  provider.answer_with(Status::kServiceError);
  route_by(by(ClusterMode::kFailsafe), {provider.port()});
  RawPeer client = consumer();
  EXPECT_EQ(call(client, 1).body(), kNull);
  provider.answer_with(Status::kOk);
  EXPECT_THAT(call(client, 2).body(), HasSubstr("answer"));
}

TEST_F(ClusterModes, FailsafeAnswersWithNullWhereNobodyCanBeReached) {
  start();
  route_by(by(ClusterMode::kFailsafe), {testing::closed_port()});
  RawPeer client = consumer();
  client.send(request_frame({.id = 1, .attachments = {{"timeout", "300"}}}));
  const auto answer = client.receive();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->header.status, Status::kOk);
  EXPECT_EQ(answer->body(), kNull);
}

TEST_F(ClusterModes, AvailableTakesTheFirstThatIsConnected) {
  start();
  AnsweringProvider first;
  AnsweringProvider second;
  route_by(by(ClusterMode::kAvailable), {testing::closed_port(), first.port(), second.port()});
  RawPeer client = consumer();
  for (std::uint64_t id = 1; id <= 20; ++id) call(client, id);
  EXPECT_EQ(first.requests(), 20U);
  EXPECT_EQ(second.requests(), 0U);
  EXPECT_THAT(probabilities(), ElementsAre(0, 1, 0));
}

TEST_F(ClusterModes, AConsistentHashIsExplainedForTheArgumentThatIsGiven) {
  start();
  AnsweringProvider one;
  AnsweringProvider other;
  Policy policy;
  policy.balance.kind = governance::LoadBalance::kConsistentHash;
  route_by(policy, {one.port(), other.port()});
  RawPeer client = consumer();
  call(client, 1);  // with the argument "x"
  EXPECT_EQ(probabilities(), (std::vector<double>{one.requests() == 1 ? 1.0 : 0.0,
                                                  other.requests() == 1 ? 1.0 : 0.0}));
}

TEST_F(ClusterModes, StickyStaysWithAProviderWhileItCanBeCalled) {
  start();
  auto one = std::make_unique<AnsweringProvider>();
  auto other = std::make_unique<AnsweringProvider>();
  Policy policy;
  policy.sticky = true;
  route_by(policy, {one->port(), other->port()});
  RawPeer client = consumer();
  for (std::uint64_t id = 1; id <= 20; ++id) call(client, id);
  const auto& chosen = one->requests() > 0 ? one : other;
  EXPECT_EQ(chosen->requests(), 20U);
  EXPECT_THAT(probabilities(), UnorderedElementsAre(0, 1));
  AnsweringProvider new_one;
  route_by(policy, {new_one.port(), one->port(), other->port()});
  for (std::uint64_t id = 21; id <= 40; ++id) call(client, id);
  EXPECT_EQ(chosen->requests(), 40U) << "another provider came";
}

TEST_F(ClusterModes, StickyTakesAnotherProviderWhereItsOwnHasLeft) {
  start();
  AnsweringProvider one;
  AnsweringProvider other;
  Policy policy;
  policy.sticky = true;
  route_by(policy, {one.port()});
  RawPeer client = consumer();
  call(client, 1);
  route_by(policy, {other.port()});
  for (std::uint64_t id = 2; id <= 5; ++id) call(client, id);
  EXPECT_EQ(other.requests(), 4U);
}

TEST_F(ClusterModes, RetriesAreAFewWhereManyRequestsAreLost) {
  constexpr std::uint64_t kRequests = 150;
  constexpr std::uint64_t kRetries = limits::kRetryBudgetSeconds * limits::kRetriesPerSecondMin;
  start();
  route_by(by(ClusterMode::kFailover), {provider_.port()});
  RawPeer client = consumer();
  for (std::uint64_t id = 1; id <= kRequests; ++id) client.send(request_frame({.id = id}));
  RawPeer lost = provider_.accept();
  for (std::uint64_t i = 0; i < kRequests; ++i) ASSERT_TRUE(lost.receive());
  lost.close();
  RawPeer upstream = provider_.accept();
  for (std::uint64_t i = 0; i < kRetries; ++i) {
    const auto request = upstream.receive();
    ASSERT_TRUE(request);
    upstream.send(response_frame(request->header.request_id, "answer"));
  }
  std::uint64_t good = 0;
  for (std::uint64_t i = 0; i < kRequests; ++i) {
    const auto answer = client.receive();
    ASSERT_TRUE(answer);
    if (answer->header.status == Status::kOk) {
      ++good;
    } else {
      EXPECT_THAT(answer->body(), HasSubstr("is not sent again, since 20 %"));
    }
  }
  EXPECT_EQ(good, kRetries);
  EXPECT_EQ(counter("outbound_retries_over_budget_total"), kRequests - kRetries);
}

TEST_F(ClusterModes, ForkingAsksSomeProvidersAndAnswersOnce) {
  start();
  std::array<AnsweringProvider, 3> providers;
  Policy policy = by(ClusterMode::kForking);
  policy.forks = 2;
  route_by(policy, {providers[0].port(), providers[1].port(), providers[2].port()});
  RawPeer client = consumer();
  for (std::uint64_t id = 1; id <= 30; ++id) {
    EXPECT_THAT(call(client, id).body(), HasSubstr("answer"));
  }
  EXPECT_TRUE(eventually([&] { return counter("outbound_fan_out_answers_dropped_total") == 30; }));
  EXPECT_EQ(providers[0].requests() + providers[1].requests() + providers[2].requests(), 60U);
  for (const AnsweringProvider& provider : providers) EXPECT_LE(provider.requests(), 30U);
  EXPECT_EQ(counter("outbound_fan_out_requests_total"), 60U);
  EXPECT_EQ(gauge("outbound_in_flight"), 0U);
}

TEST_F(ClusterModes, ForkingFailsOnlyWhereAllFail) {
  start();
  RawListener other;
  route_by(by(ClusterMode::kForking), {provider_.port(), other.port()});
  RawPeer client = consumer();
  client.send(request_frame({.id = 1}));
  RawPeer first = provider_.accept();
  RawPeer second = other.accept();
  ASSERT_TRUE(first.receive());
  const auto request = second.receive();
  ASSERT_TRUE(request);
  first.close();
  EXPECT_TRUE(eventually([&] { return gauge("outbound_in_flight") == 1; }));
  second.send(response_frame(request->header.request_id, "good"));
  const auto answer = client.receive();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->header.status, Status::kOk);

  client.send(request_frame({.id = 2}));
  RawPeer again = provider_.accept();
  ASSERT_TRUE(again.receive());
  ASSERT_TRUE(second.receive());
  again.close();
  second.close();
  const auto failure = client.receive();
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->header.request_id, 2U);
  EXPECT_EQ(failure->header.status, Status::kServerError);
  EXPECT_TRUE(eventually([&] { return gauge("outbound_in_flight") == 0; }));
  EXPECT_FALSE(client.has_input());
}

TEST_F(ClusterModes, BroadcastAsksAllAndWaitsForAll) {
  start();
  RawListener other;
  route_by(by(ClusterMode::kBroadcast), {provider_.port(), other.port()});
  RawPeer client = consumer();
  client.send(request_frame({.id = 1}));
  RawPeer first = provider_.accept();
  RawPeer second = other.accept();
  const auto to_first = first.receive();
  const auto to_second = second.receive();
  ASSERT_TRUE(to_first && to_second);
  second.send(response_frame(to_second->header.request_id, "early"));
  EXPECT_TRUE(eventually([&] { return gauge("outbound_in_flight") == 1; }));
  EXPECT_FALSE(client.has_input());
  first.send(response_frame(to_first->header.request_id, "late"));
  const auto answer = client.receive();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->header.request_id, 1U);
  EXPECT_THAT(answer->body(), HasSubstr("late"));
  EXPECT_THAT(probabilities(), Each(1));
}

TEST_F(ClusterModes, BroadcastFailsWhereOneFails) {
  start();
  AnsweringProvider good;
  AnsweringProvider bad;
  route_by(by(ClusterMode::kBroadcast), {good.port(), bad.port()});
  RawPeer client = consumer();
  EXPECT_EQ(call(client, 1).header.status, Status::kOk);
  bad.answer_with(Status::kServiceError);
  EXPECT_EQ(call(client, 2).header.status, Status::kServiceError);
  EXPECT_EQ(good.requests(), 2U);
  route_by(by(ClusterMode::kBroadcast), {good.port(), testing::closed_port()});
  EXPECT_EQ(call(client, 3).header.status, Status::kServerError);
  EXPECT_EQ(good.requests(), 3U);
}

TEST_F(ClusterModes, BroadcastSendsOneWayRequestsToAll) {
  start();
  std::array<AnsweringProvider, 3> providers;
  route_by(by(ClusterMode::kBroadcast),
           {providers[0].port(), providers[1].port(), providers[2].port()});
  RawPeer client = consumer();
  client.send(request_frame({.id = 1, .two_way = false}));
  for (const AnsweringProvider& provider : providers) {
    EXPECT_TRUE(eventually([&] { return provider.requests() == 1; }));
  }
}

TEST_F(ClusterModes, FailbackAnswersWithNullAndSendsAgainLater) {
  config_.failback_pause = std::chrono::milliseconds(50);
  start();
  route_by(by(ClusterMode::kFailback), {provider_.port()});
  RawPeer client = consumer();
  const std::string request = request_frame({.id = 7});
  client.send(request);
  RawPeer lost = provider_.accept();
  ASSERT_TRUE(lost.receive());
  lost.close();
  const auto answer = client.receive();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->header.request_id, 7U);
  EXPECT_EQ(answer->body(), kNull);
  RawPeer upstream = provider_.accept();
  const auto again = upstream.receive();
  ASSERT_TRUE(again);
  EXPECT_EQ(again->body(), request.substr(dubbo::FrameHeader::kSize));
  upstream.send(response_frame(again->header.request_id, "answer"));
  EXPECT_TRUE(eventually([&] { return gauge("outbound_in_flight") == 0; }));
  EXPECT_EQ(gauge("outbound_failback_waiting"), 0U);
  EXPECT_EQ(counter("outbound_failback_sent_total"), 1U);
  EXPECT_FALSE(client.has_input());
}

TEST_F(ClusterModes, FailbackGivesUpAfterSomeAttempts) {
  config_.failback_pause = std::chrono::milliseconds(20);
  start();
  AnsweringProvider provider;
  provider.answer_with(Status::kServiceError);
  route_by(by(ClusterMode::kFailback), {provider.port()});
  RawPeer client = consumer();
  EXPECT_EQ(call(client, 1).body(), kNull);
  EXPECT_TRUE(eventually([&] { return counter("outbound_failback_given_up_total") == 1; }));
  EXPECT_EQ(provider.requests(), 1U + limits::kFailbackTriesMax);
  EXPECT_FALSE(client.has_input());
}

}  // namespace
}  // namespace skiff::forwarder
