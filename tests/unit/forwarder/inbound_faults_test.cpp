// What local providers do wrong, as a consumer of 20882 sees it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "forwarder/limits.h"
#include "support/forwarder_fixture.h"

namespace skiff::forwarder {
namespace {

using dubbo::Status;
using std::chrono::milliseconds;
using testing::eventually;
using ::testing::HasSubstr;
using testing::heartbeat_answer;
using testing::RawPeer;
using testing::request_frame;
using testing::response_frame;

class InboundFaults : public testing::ForwarderFixture {
 protected:
  RawPeer consumer() { return RawPeer::connect(forwarder_->inbound_port()); }

  static void expect_error(RawPeer& consumer, std::uint64_t id, Status status,
                           const std::string& text) {
    const auto answer = consumer.receive();
    ASSERT_TRUE(answer) << "no answer";
    EXPECT_EQ(answer->header.request_id, id);
    EXPECT_EQ(answer->header.status, status);
    EXPECT_THAT(answer->body(), HasSubstr(text));
  }

  // A request of that id passes from `client` to `provider`, and an answer back.
  static void expect_served(RawPeer& client, RawPeer& provider, std::uint64_t id) {
    client.send(request_frame({.id = id}));
    const auto request = provider.receive();
    ASSERT_TRUE(request);
    ASSERT_EQ(request->header.request_id, id);
    provider.send(response_frame(id, "served"));
    EXPECT_EQ(client.receive()->bytes, response_frame(id, "served"));
  }

  // Requests 1 .. kInboundPendingMax on one connection; the provider takes them and is silent.
  void leave_as_many_unanswered_as_may_be(RawPeer& client, RawPeer& provider) {
    constexpr std::size_t kBatch = 512;
    for (std::uint64_t id = 1; id <= limits::kInboundPendingMax; id += kBatch) {
      std::string requests;
      for (std::uint64_t i = 0; i < kBatch; ++i) requests += request_frame({.id = id + i});
      client.send(requests);
      ASSERT_TRUE(provider.skip(requests.size()));
    }
    ASSERT_EQ(gauge("inbound_in_flight"), limits::kInboundPendingMax);
  }
};

TEST_F(InboundFaults, SaySoWhereTheProviderCannotBeConnectedToInTime) {
  config_.connect_timeout = milliseconds(50);
  const testing::FullListener black_hole;
  config_.provider_port = black_hole.port();
  start();
  RawPeer client = consumer();
  client.send(request_frame({.id = 1}));
  expect_error(client, 1, Status::kServerError, "no connection within 50 ms");
  EXPECT_EQ(counter("inbound_provider_connect_failures_total"), 1U);
  EXPECT_EQ(counter("inbound_provider_unreachable_total"), 1U);
}

TEST_F(InboundFaults, AnswerForAProviderThatResetsInTheMiddleOfAnAnswer) {
  start();
  RawPeer client = consumer();
  client.send(request_frame({.id = 1}));
  {
    RawPeer provider = provider_.accept();
    ASSERT_TRUE(provider.receive());
    const std::string answer = response_frame(1, "never whole");
    provider.send(answer.substr(0, answer.size() - 1));
    provider.reset();
  }
  expect_error(client, 1, Status::kServerError, "closed its connection");
  EXPECT_EQ(counter("inbound_provider_lost_total"), 1U);
  client.send(request_frame({.id = 2}));
  RawPeer again = provider_.accept();
  ASSERT_TRUE(again.receive());
  expect_served(client, again, 3);
}

TEST_F(InboundFaults, AskASilentProviderAndGiveUpOnADeadOne) {
  config_.heartbeat_interval = milliseconds(20);
  start();
  RawPeer client = consumer();
  client.send(request_frame({.id = 1}));
  RawPeer provider = provider_.accept();
  ASSERT_TRUE(provider.receive());
  const auto heartbeat = provider.receive();
  ASSERT_TRUE(heartbeat);
  EXPECT_TRUE(heartbeat->header.is_event && heartbeat->header.is_two_way);
  expect_error(client, 1, Status::kServerError, "heartbeats");
  EXPECT_EQ(counter("heartbeats_sent_total"), std::uint64_t{limits::kSilentHeartbeatsMax});
  EXPECT_EQ(counter("inbound_provider_lost_total"), 1U);
}

TEST_F(InboundFaults, KeepAProviderThatAnswersEveryHeartbeat) {
  config_.heartbeat_interval = milliseconds(50);
  start();
  RawPeer client = consumer();
  client.send(request_frame({.id = 1}));
  RawPeer provider = provider_.accept();
  ASSERT_TRUE(provider.receive());
  for (int i = 0; i < 4 * limits::kSilentHeartbeatsMax; ++i) {
    const auto heartbeat = provider.receive();
    ASSERT_TRUE(heartbeat) << "after " << i;
    provider.send(heartbeat_answer(heartbeat->header.request_id));
  }
  provider.send(response_frame(1, "late"));
  EXPECT_EQ(client.receive()->bytes, response_frame(1, "late"));
  EXPECT_EQ(counter("inbound_provider_lost_total"), 0U);
}

TEST_F(InboundFaults, AnswerInTheEndForAProviderThatNeverDoes) {
  config_.abandoned_time = std::chrono::seconds(1);
  start();
  RawPeer client = consumer();
  client.send(request_frame({.id = 1}));
  RawPeer provider = provider_.accept();
  ASSERT_TRUE(provider.receive());
  expect_error(client, 1, Status::kServerTimeout, "has not answered");
  EXPECT_EQ(counter("inbound_timeouts_total"), 1U);
  EXPECT_EQ(gauge("inbound_in_flight"), 0U);
  provider.send(response_frame(1, "too late"));
  expect_served(client, provider, 2);
  EXPECT_EQ(counter("inbound_answers_dropped_total"), 1U);
}

TEST_F(InboundFaults, RefuseFurtherRequestsWhereTooManyHaveNoAnswer) {
  start();
  RawPeer client = consumer();
  client.send(request_frame({.id = 0, .two_way = false}));
  RawPeer provider = provider_.accept();
  ASSERT_TRUE(provider.receive());
  leave_as_many_unanswered_as_may_be(client, provider);
  client.send(request_frame({.id = 100'000}));
  expect_error(client, 100'000, Status::kServerThreadpoolExhausted, "without an answer");
  EXPECT_EQ(counter("inbound_refused_by_limit_total"), 1U);
  provider.send(response_frame(1, "one less"));
  EXPECT_EQ(client.receive()->bytes, response_frame(1, "one less"));
  expect_served(client, provider, 100'001);
}

TEST_F(InboundFaults, GiveUpOldRequestsWhereTooManyHaveNoAnswer) {
  config_.abandoned_time_when_full = milliseconds(0);
  start();
  RawPeer client = consumer();
  client.send(request_frame({.id = 0, .two_way = false}));
  RawPeer provider = provider_.accept();
  ASSERT_TRUE(provider.receive());
  leave_as_many_unanswered_as_may_be(client, provider);
  client.send(request_frame({.id = 100'000}));
  for (std::size_t i = 0; i < limits::kInboundPendingMax; ++i) {
    const auto answer = client.receive();
    ASSERT_TRUE(answer);
    ASSERT_EQ(answer->header.status, Status::kServerTimeout);
  }
  EXPECT_EQ(counter("inbound_timeouts_total"), limits::kInboundPendingMax);
  EXPECT_EQ(counter("inbound_refused_by_limit_total"), 0U);
  ASSERT_TRUE(provider.receive());
  provider.send(response_frame(100'000, "room for it"));
  EXPECT_EQ(client.receive()->bytes, response_frame(100'000, "room for it"));
}

TEST_F(InboundFaults, DropASecondAnswerAndOneToAnUnknownId) {
  start();
  RawPeer client = consumer();
  client.send(request_frame({.id = 1}));
  RawPeer provider = provider_.accept();
  ASSERT_TRUE(provider.receive());
  provider.send(response_frame(4711, "unknown") + response_frame(1, "first") +
                response_frame(1, "second"));
  EXPECT_EQ(client.receive()->bytes, response_frame(1, "first"));
  expect_served(client, provider, 2);
  EXPECT_EQ(counter("inbound_answers_dropped_total"), 2U);
}

TEST_F(InboundFaults, CloseAProviderThatSendsGarbage) {
  start();
  RawPeer client = consumer();
  client.send(request_frame({.id = 1}) + request_frame({.id = 2}));
  RawPeer provider = provider_.accept();
  ASSERT_TRUE(provider.receive() && provider.receive());
  provider.send(response_frame(1, "good") + "HTTP/1.1 400 Bad Request\r\n\r\n");
  EXPECT_EQ(client.receive()->bytes, response_frame(1, "good"));
  expect_error(client, 2, Status::kServerError, "not a Dubbo frame");
  EXPECT_EQ(counter("foreign_protocol_total"), 1U);
  EXPECT_EQ(counter("inbound_provider_lost_total"), 1U);
}

TEST_F(InboundFaults, ReplaceAnswersOverTheLimitWithStatus50) {
  const std::string at_limit = response_frame(1, std::string(3000, 'x'));
  config_.body_limit = static_cast<std::uint32_t>(at_limit.size() - 16);
  start();
  RawPeer client = consumer();
  client.send(request_frame({.id = 1}) + request_frame({.id = 2}) + request_frame({.id = 3}));
  RawPeer provider = provider_.accept();
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(provider.receive());
  provider.send(at_limit + response_frame(2, std::string(3001, 'x')) + response_frame(3, "short"));
  EXPECT_EQ(client.receive()->bytes, at_limit);
  expect_error(client, 2, Status::kBadResponse, "body_limit");
  EXPECT_EQ(client.receive()->bytes, response_frame(3, "short"));
  EXPECT_EQ(counter("oversized_frames_total"), 1U);
  EXPECT_EQ(counter("inbound_bad_responses_total"), 1U);
}

TEST_F(InboundFaults, CloseAProviderWhoseAnswerIsTooLongToBeSkipped) {
  start();
  RawPeer client = consumer();
  client.send(request_frame({.id = 1}) + request_frame({.id = 2}));
  RawPeer provider = provider_.accept();
  ASSERT_TRUE(provider.receive() && provider.receive());
  provider.send(testing::response_header(1, UINT32_MAX));
  expect_error(client, 1, Status::kBadResponse, "body_limit");
  expect_error(client, 2, Status::kServerError, "too long");
  EXPECT_EQ(counter("oversized_frames_total"), 1U);
  EXPECT_EQ(counter("inbound_provider_lost_total"), 1U);
}

}  // namespace
}  // namespace skiff::forwarder
