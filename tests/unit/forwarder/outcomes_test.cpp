// How requests end, and what that adds to the counters of their method.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <numeric>
#include <string>

#include "support/answering_provider.h"
#include "support/forwarder_fixture.h"

namespace skiff::forwarder {
namespace {

using dubbo::Status;
using testing::AnsweringProvider;
using testing::closed_port;
using ::testing::ElementsAre;
using testing::eventually;
using ::testing::Pair;
using testing::RawPeer;
using testing::request_frame;
using testing::RequestSpec;
using testing::response_frame;

class Outcomes : public testing::ForwarderFixture {
 protected:
  void SetUp() override {
    config_.hold_time = std::chrono::milliseconds(50);
    start();
  }
  RawPeer consumer() { return RawPeer::connect(forwarder_->outbound_port()); }
  static Status status_of(RawPeer& client, const RequestSpec& spec) {
    client.send(request_frame(spec));
    const auto answer = client.receive();
    EXPECT_TRUE(answer);
    return answer ? answer->header.status : Status::kNone;
  }
  // Those that have ended so, without those that never did.
  std::map<std::string, std::uint64_t> ended(const std::string& interface = "a.Service",
                                             const std::string& method = "hi") {
    const TrafficSnapshot traffic = forwarder_->snapshot(testing::kDeadline);
    std::map<std::string, std::uint64_t> ended;
    const auto service = traffic.methods.find(interface);
    if (service == traffic.methods.end() || !service->second.contains(method)) return ended;
    const MethodTraffic& counted = service->second.at(method);
    for (std::size_t i = 0; i < kOutcomes.size(); ++i) {
      if (counted.ended[i] > 0) ended[std::string(kOutcomes[i].name)] = counted.ended[i];
    }
    EXPECT_EQ(counted.requests,
              std::accumulate(counted.ended.begin(), counted.ended.end(), std::uint64_t{0}));
    return ended;
  }
  static std::uint64_t count_of(const Durations& durations) {
    return std::accumulate(durations.counts.begin(), durations.counts.end(), std::uint64_t{0});
  }
};

TEST_F(Outcomes, AreOfTheProvidersAnswer) {
  route({provider_at(provider_.port())});
  RawPeer client = consumer();
  client.send(request_frame({.id = 1}));
  RawPeer upstream = provider_.accept();
  const auto answer_with = [&](const std::string& body, std::uint8_t status) {
    const auto request = upstream.receive();
    std::string answer = response_frame(request->header.request_id, "x");
    answer[3] = static_cast<char>(status);
    answer[16] = body[0];
    upstream.send(answer);
    ASSERT_TRUE(client.receive());
  };
  answer_with("\x91", 20);
  client.send(request_frame({.id = 2}));
  answer_with("\x90", 20);  // the method threw
  client.send(request_frame({.id = 3}));
  answer_with("\x93", 20);  // the same, with attachments
  client.send(request_frame({.id = 4}));
  answer_with("\x91", 70);
  EXPECT_THAT(ended(), ElementsAre(Pair("exception", 2), Pair("ok", 1), Pair("provider_error", 1)));
  const ServiceDurations durations =
      forwarder_->snapshot(testing::kDeadline).durations.at("a.Service");
  EXPECT_EQ(count_of(durations.total), 4U);
  EXPECT_EQ(count_of(durations.upstream), 4U);
  EXPECT_EQ(durations.upstream.nanoseconds + durations.own.nanoseconds,
            durations.total.nanoseconds);
  EXPECT_GT(durations.own.nanoseconds, 0U);
  EXPECT_GT(durations.upstream.nanoseconds, 0U);
}

TEST_F(Outcomes, AreOfTheAgentWhereNoProviderAnswers) {
  route({provider_at(provider_.port())});
  RawPeer client = consumer();
  EXPECT_EQ(status_of(client, {.attachments = {{"timeout", "30"}}}), Status::kServerTimeout);
  EXPECT_EQ(status_of(client, {.version = "9"}), Status::kServiceNotFound);
  route({provider_at(closed_port())});
  EXPECT_EQ(status_of(client, {.attachments = {{"timeout", "30"}}}), Status::kServerError);
  EXPECT_THAT(ended(),
              ElementsAre(Pair("not_found", 1), Pair("timeout", 1), Pair("unreachable", 1)));
  EXPECT_EQ(status_of(client, {.interface = "b.Service"}), Status::kServiceNotFound);
  EXPECT_THAT(ended("(unknown)", "(other)"), ElementsAre(Pair("not_found", 1)));
}

TEST_F(Outcomes, OneWayRequestsEndWhenTheyAreSent) {
  AnsweringProvider provider;
  route({provider_at(provider.port())});
  RawPeer client = consumer();
  client.send(request_frame({.two_way = false}) + request_frame({.two_way = false}));
  EXPECT_TRUE(eventually([&] { return provider.requests() == 2; }));
  EXPECT_THAT(ended(), ElementsAre(Pair("one_way", 2)));
}

TEST_F(Outcomes, AOneWayRequestToSeveralProvidersEndsOnce) {
  AnsweringProvider first;
  AnsweringProvider second;
  governance::Policy policy;
  policy.mode = governance::ClusterMode::kBroadcast;
  governance::Cluster cluster;
  cluster.providers = {provider_at(first.port()), provider_at(second.port())};
  cluster.policies =
      std::make_shared<governance::Policies>(governance::Policies{.policy = policy, .methods = {}});
  route_clusters({cluster});
  RawPeer client = consumer();
  client.send(request_frame({.two_way = false}));
  EXPECT_TRUE(eventually([&] { return first.requests() == 1 && second.requests() == 1; }));
  EXPECT_EQ(status_of(client, {.id = 2}), Status::kOk);
  EXPECT_THAT(ended(), ElementsAre(Pair("ok", 1), Pair("one_way", 1)));
}

TEST_F(Outcomes, ARequestWhoseConsumerHasGoneIsAbandoned) {
  route({provider_at(provider_.port())});
  RawPeer client = consumer();
  client.send(request_frame({}));
  RawPeer upstream = provider_.accept();
  const auto request = upstream.receive();
  client.reset();
  EXPECT_TRUE(eventually([&] { return gauge("outbound_connections") == 0; }));
  upstream.send(response_frame(request->header.request_id, "too late"));
  EXPECT_TRUE(eventually([&] { return !ended().empty(); }));
  EXPECT_THAT(ended(), ElementsAre(Pair("abandoned", 1)));
}

TEST_F(Outcomes, AreKeptWhereTheRouteGoesAndComesAgain) {
  AnsweringProvider provider;
  route({provider_at(provider.port())});
  RawPeer client = consumer();
  EXPECT_EQ(status_of(client, {}), Status::kOk);
  forwarder_->remove_route("a.Service");
  route({provider_at(provider.port())});
  EXPECT_EQ(status_of(client, {.id = 2}), Status::kOk);
  EXPECT_THAT(ended(), ElementsAre(Pair("ok", 2)));
}

TEST_F(Outcomes, BytesAreCountedWhereTheyAreReadAndWritten) {
  AnsweringProvider provider;
  route({provider_at(provider.port())});
  RawPeer client = consumer();
  const std::string request = request_frame({});
  client.send(request);
  const auto answer = client.receive();
  EXPECT_EQ(counter("outbound_received_bytes_total"), request.size());
  EXPECT_EQ(counter("upstream_sent_bytes_total"), request.size());
  EXPECT_EQ(counter("upstream_received_bytes_total"), answer->bytes.size());
  EXPECT_EQ(counter("outbound_sent_bytes_total"), answer->bytes.size());
}

}  // namespace
}  // namespace skiff::forwarder
