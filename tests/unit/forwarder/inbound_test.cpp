#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "support/forwarder_fixture.h"

namespace skiff::forwarder {
namespace {

using dubbo::Status;
using std::chrono::milliseconds;
using testing::closed_port;
using testing::eventually;
using ::testing::HasSubstr;
using testing::heartbeat_frame;
using testing::RawListener;
using testing::RawPeer;
using testing::readonly_frame;
using testing::request_frame;
using testing::response_frame;

class Inbound20882 : public testing::ForwarderFixture {
 protected:
  RawPeer consumer() { return RawPeer::connect(forwarder_->inbound_port()); }
};

TEST_F(Inbound20882, RelaysByteForByteOnOneConnectionForEachConsumer) {
  start();
  RawPeer first = consumer();
  RawPeer second = consumer();
  first.send(request_frame({.id = 1}));
  RawPeer for_first = provider_.accept();
  EXPECT_EQ(for_first.receive()->bytes, request_frame({.id = 1}));
  second.send(request_frame({.id = 1, .argument = "second"}));
  RawPeer for_second = provider_.accept();
  EXPECT_EQ(for_second.receive()->bytes, request_frame({.id = 1, .argument = "second"}));
  for_second.send(response_frame(1, "to second"));
  for_first.send(response_frame(1, "to first"));
  EXPECT_EQ(first.receive()->bytes, response_frame(1, "to first"));
  EXPECT_EQ(second.receive()->bytes, response_frame(1, "to second"));
}

TEST_F(Inbound20882, AnswersEachOfManyRequestsWithOneId) {
  start();
  RawPeer client = consumer();
  client.send(request_frame({.id = 0}) + request_frame({.id = 0}));
  RawPeer upstream = provider_.accept();
  ASSERT_TRUE(upstream.receive() && upstream.receive());
  upstream.send(response_frame(0, "1") + response_frame(0, "2") +
                response_frame(0, "one too many"));
  EXPECT_EQ(client.receive()->bytes, response_frame(0, "1"));
  EXPECT_EQ(client.receive()->bytes, response_frame(0, "2"));
  EXPECT_TRUE(eventually([&] { return counter("inbound_answers_dropped_total") == 1; }));
}

TEST_F(Inbound20882, DropsTheAnswerToAOneWayRequest) {
  start();
  RawPeer client = consumer();
  client.send(request_frame({.id = 1, .two_way = false}) + request_frame({.id = 2}));
  RawPeer upstream = provider_.accept();
  ASSERT_TRUE(upstream.receive() && upstream.receive());
  upstream.send(response_frame(1, "not wanted") + response_frame(2, "wanted"));
  EXPECT_EQ(client.receive()->bytes, response_frame(2, "wanted"));
  EXPECT_EQ(counter("inbound_answers_dropped_total"), 1U);
}

TEST_F(Inbound20882, PassesCallbacksAndTheirAnswers) {
  start();
  RawPeer client = consumer();
  client.send(request_frame({.id = 1}));
  RawPeer upstream = provider_.accept();
  ASSERT_TRUE(upstream.receive());
  upstream.send(request_frame({.id = 900, .method = "callback"}));
  EXPECT_EQ(client.receive()->bytes, request_frame({.id = 900, .method = "callback"}));
  client.send(response_frame(900, "called back"));
  EXPECT_EQ(upstream.receive()->bytes, response_frame(900, "called back"));
}

TEST_F(Inbound20882, ChoosesTheLocalPortByPublicationOnOneConnection) {
  RawListener other;
  start();
  forwarder_->update_local_services(
      {{{"a.Service", "", ""}, provider_.port()}, {{"b.Service", "", ""}, other.port()}});
  RawPeer client = consumer();
  client.send(request_frame({.id = 1, .interface = "b.Service"}) + request_frame({.id = 2}));
  RawPeer for_b = other.accept();
  RawPeer for_a = provider_.accept();
  EXPECT_EQ(for_b.receive()->header.request_id, 1U);
  EXPECT_EQ(for_a.receive()->header.request_id, 2U);
  for_b.send(response_frame(2, "not yours to answer"));
  for_a.send(response_frame(2, "a"));
  EXPECT_EQ(client.receive()->bytes, response_frame(2, "a"));
  for_b.send(response_frame(1, "b"));
  EXPECT_EQ(client.receive()->bytes, response_frame(1, "b"));
}

TEST_F(Inbound20882, SaysWhereTheProviderIsNotToBeReached) {
  config_.provider_port = closed_port();
  start();
  RawPeer client = consumer();
  client.send(request_frame({.id = 5}));
  const auto answer = client.receive();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->header.status, Status::kServerError);
  EXPECT_EQ(answer->header.request_id, 5U);
  EXPECT_THAT(answer->body(), HasSubstr("127.0.0.1:" + std::to_string(config_.provider_port)));
  EXPECT_EQ(counter("inbound_provider_connect_failures_total"), 1U);
  EXPECT_EQ(counter("inbound_provider_unreachable_total"), 1U);
}

TEST_F(Inbound20882, AnswersWhatADyingProviderLeavesAndConnectsAgain) {
  start();
  RawPeer client = consumer();
  client.send(request_frame({.id = 1}) + request_frame({.id = 2}));
  {
    RawPeer upstream = provider_.accept();
    ASSERT_TRUE(upstream.receive() && upstream.receive());
  }
  for (int i = 0; i < 2; ++i) EXPECT_EQ(client.receive()->header.status, Status::kServerError);
  client.send(request_frame({.id = 3}));
  RawPeer again = provider_.accept();
  ASSERT_TRUE(again.receive());
  again.send(response_frame(3, "back"));
  EXPECT_EQ(client.receive()->bytes, response_frame(3, "back"));
  EXPECT_EQ(counter("inbound_provider_lost_total"), 1U);
  EXPECT_EQ(counter("inbound_provider_unreachable_total"), 2U);
}

// As after a restart, when consumers are back before the agent has told its workers what it serves.
TEST_F(Inbound20882, KnowsItsServicesWhenTheFirstRequestIsRead) {
  RawListener other;
  open();
  RawPeer client = consumer();
  client.send(request_frame({.id = 1}));
  forwarder_->update_local_services({{.service = {"a.Service", "", ""}, .port = other.port()}});
  forwarder_->serve();
  EXPECT_TRUE(other.accept().receive());
}

TEST_F(Inbound20882, AnswersHeartbeatsOfBothSidesByItself) {
  start();
  RawPeer client = consumer();
  client.send(heartbeat_frame(50));
  EXPECT_EQ(client.receive()->header.request_id, 50U);
  client.send(request_frame({.id = 1}));
  RawPeer upstream = provider_.accept();
  ASSERT_TRUE(upstream.receive());
  upstream.send(heartbeat_frame(51));
  EXPECT_EQ(upstream.receive()->header.request_id, 51U);
}

TEST_F(Inbound20882, HandsOnThatTheProviderIsLeaving) {
  start();
  RawPeer client = consumer();
  client.send(request_frame({.id = 1}));
  RawPeer upstream = provider_.accept();
  ASSERT_TRUE(upstream.receive());
  upstream.send(readonly_frame());
  EXPECT_EQ(client.receive()->bytes, readonly_frame());
}

TEST_F(Inbound20882, ClosesTheProviderConnectionOfAConsumerThatHasGone) {
  start();
  RawPeer client = consumer();
  client.send(request_frame({.id = 1, .two_way = false}));
  RawPeer upstream = provider_.accept();
  ASSERT_TRUE(upstream.receive());
  client.close();
  EXPECT_TRUE(upstream.sees_end());
}

TEST_F(Inbound20882, DeliversTheOneWayRequestsOfAConsumerThatHasGone) {
  start();
  {
    RawPeer client = consumer();
    client.send(request_frame({.id = 1, .argument = "last words", .two_way = false}));
  }
  RawPeer upstream = provider_.accept();
  const auto request = upstream.receive();
  ASSERT_TRUE(request);
  EXPECT_EQ(request->bytes, request_frame({.id = 1, .argument = "last words", .two_way = false}));
  EXPECT_TRUE(upstream.sees_end());
}

TEST_F(Inbound20882, AnswersWhatIsPendingBeforeItClosesOverATooLongRequest) {
  config_.body_limit = 1000;
  start();
  RawPeer client = consumer();
  client.send(request_frame({.id = 1}));
  RawPeer upstream = provider_.accept();
  ASSERT_TRUE(upstream.receive());
  client.send(testing::oversized_request_frame(2, 2000));
  const auto refusal = client.receive();
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->header.request_id, 2U);
  EXPECT_EQ(refusal->header.status, Status::kBadRequest);
  upstream.send(response_frame(1, "still"));
  EXPECT_EQ(client.receive()->bytes, response_frame(1, "still"));
  EXPECT_TRUE(client.sees_end());
}

TEST_F(Inbound20882, RefusesACallbackWhoseIdAnotherProviderUses) {
  RawListener other;
  start();
  forwarder_->update_local_services(
      {{{"a.Service", "", ""}, provider_.port()}, {{"b.Service", "", ""}, other.port()}});
  RawPeer client = consumer();
  client.send(request_frame({.id = 1}) + request_frame({.id = 2, .interface = "b.Service"}));
  RawPeer a = provider_.accept();
  RawPeer b = other.accept();
  ASSERT_TRUE(a.receive() && b.receive());
  a.send(request_frame({.id = 900, .method = "callback"}));
  ASSERT_TRUE(client.receive());
  b.send(request_frame({.id = 900, .method = "callback"}));
  EXPECT_EQ(b.receive()->header.status, Status::kClientError);
  client.send(response_frame(900, "to a"));
  EXPECT_EQ(a.receive()->bytes, response_frame(900, "to a"));
}

TEST_F(Inbound20882, DrainsWithReadonlyAndLetsRequestsFinish) {
  start();
  RawPeer client = consumer();
  client.send(request_frame({.id = 1}));
  RawPeer upstream = provider_.accept();
  ASSERT_TRUE(upstream.receive());
  EXPECT_FALSE(forwarder_->drain(milliseconds(20))) << "a request is in flight";
  const auto event = client.receive();
  ASSERT_TRUE(event);
  EXPECT_TRUE(event->header.is_event && event->header.is_request && !event->header.is_two_way);
  EXPECT_EQ(event->body(), "\x01R");
  client.send(request_frame({.id = 2}));  // sent before the consumer had read it
  ASSERT_TRUE(upstream.receive());
  upstream.send(response_frame(1, "one") + response_frame(2, "two"));
  EXPECT_EQ(client.receive()->bytes, response_frame(1, "one"));
  EXPECT_EQ(client.receive()->bytes, response_frame(2, "two"));
  EXPECT_TRUE(client.sees_end());
}

}  // namespace
}  // namespace skiff::forwarder
