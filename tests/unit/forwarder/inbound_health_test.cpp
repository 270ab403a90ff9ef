// Local providers that fail their health checks, behind 20882.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "support/forwarder_fixture.h"

namespace skiff::forwarder {
namespace {

using dubbo::Status;
using testing::eventually;
using ::testing::HasSubstr;
using testing::RawListener;
using testing::RawPeer;
using testing::ReceivedFrame;
using testing::request_frame;
using testing::response_frame;

const std::string kWhy = "the provider at 127.0.0.1:1 is down: it says nothing";

class InboundHealth : public testing::ForwarderFixture {
 protected:
  RawPeer consumer() { return RawPeer::connect(forwarder_->inbound_port()); }

  void publish(std::vector<LocalServicePort> services) {
    forwarder_->update_local_services(std::move(services));
    forwarder_->snapshot(testing::kDeadline);  // tasks of a worker run in order
  }
  LocalServicePort a(const std::string& down = "") {
    return {{"a.Service", "", ""}, provider_.port(), down};
  }
  LocalServicePort b(const RawListener& other, const std::string& down = "") {
    return {{"b.Service", "", ""}, other.port(), down};
  }

  static void expect_event(const std::optional<ReceivedFrame>& frame, const std::string& body) {
    ASSERT_TRUE(frame);
    EXPECT_TRUE(frame->header.is_event && frame->header.is_request && !frame->header.is_two_way);
    EXPECT_EQ(frame->body(), body);
  }
  static void expect_refusal(const std::optional<ReceivedFrame>& frame, std::uint64_t id) {
    ASSERT_TRUE(frame);
    EXPECT_EQ(frame->header.request_id, id);
    EXPECT_EQ(frame->header.status, Status::kServerError);
    EXPECT_THAT(frame->body(), HasSubstr(kWhy));
  }
};

TEST_F(InboundHealth, AnswersRequestsForADeadProviderWithStatus80AndTheReason) {
  start();
  publish({a(kWhy)});
  RawPeer client = consumer();
  client.send(request_frame({.id = 7}));
  expect_refusal(client.receive(), 7);
  EXPECT_EQ(counter("inbound_provider_down_total"), 1U);
  EXPECT_EQ(counter("inbound_provider_connects_total"), 0U);
}

TEST_F(InboundHealth, SaysReadonlyThenFinishesWhatIsInFlightThenCloses) {
  start();
  publish({a()});
  RawPeer client = consumer();
  client.send(request_frame({.id = 1}));
  RawPeer upstream = provider_.accept();
  ASSERT_TRUE(upstream.receive());
  publish({a(kWhy)});
  expect_event(client.receive(), "\x01R");
  client.send(request_frame({.id = 2}));
  expect_refusal(client.receive(), 2);
  upstream.send(response_frame(1, "late but here"));
  EXPECT_EQ(client.receive()->bytes, response_frame(1, "late but here"));
  EXPECT_TRUE(client.sees_end());
  EXPECT_EQ(counter("inbound_readonly_total"), 1U);
}

TEST_F(InboundHealth, ClosesAConsumerThatGoesOnSendingRequests) {
  start();
  publish({a()});
  RawPeer client = consumer();
  client.send(request_frame({.id = 1}));
  RawPeer upstream = provider_.accept();
  upstream.close();
  ASSERT_EQ(client.receive()->header.status, Status::kServerError);
  publish({a(kWhy)});
  expect_event(client.receive(), "\x01R");
  // Each answer is read before the next request is sent; the last one may meet the end.
  std::uint64_t id = 2;
  EXPECT_TRUE(eventually([&] {
    client.send(request_frame({.id = id++}));
    return !client.receive();
  }));
}

TEST_F(InboundHealth, LeavesConsumersAloneThatNeverUsedTheDeadProvider) {
  RawListener other;
  start();
  publish({a(), b(other)});
  RawPeer client = consumer();
  client.send(request_frame({.id = 1, .interface = "b.Service"}));
  RawPeer upstream = other.accept();
  ASSERT_TRUE(upstream.receive());
  publish({a(kWhy), b(other)});
  upstream.send(response_frame(1, "b"));
  EXPECT_EQ(client.receive()->bytes, response_frame(1, "b"));
  EXPECT_EQ(counter("inbound_readonly_total"), 0U);
}

TEST_F(InboundHealth, KeepsAConnectionThatAnotherOfItsProvidersServes) {
  RawListener other;
  start();
  publish({a(), b(other)});
  RawPeer client = consumer();
  client.send(request_frame({.id = 1}) + request_frame({.id = 2, .interface = "b.Service"}));
  RawPeer for_a = provider_.accept();
  RawPeer for_b = other.accept();
  ASSERT_TRUE(for_a.receive() && for_b.receive());
  publish({a(kWhy), b(other)});
  client.send(request_frame({.id = 3}));
  expect_refusal(client.receive(), 3);
  for_b.send(response_frame(2, "b"));
  EXPECT_EQ(client.receive()->bytes, response_frame(2, "b"));
  EXPECT_EQ(counter("inbound_readonly_total"), 0U);
}

TEST_F(InboundHealth, TakesReadonlyBackWhereTheProviderIsBackBeforeTheConnectionIsClosed) {
  start();
  publish({a()});
  RawPeer client = consumer();
  client.send(request_frame({.id = 1}));
  RawPeer upstream = provider_.accept();
  ASSERT_TRUE(upstream.receive());  // in flight: the connection stays open
  publish({a(kWhy)});
  expect_event(client.receive(), "\x01R");
  publish({a()});
  expect_event(client.receive(), "\x01W");
  client.send(request_frame({.id = 2}));
  ASSERT_TRUE(upstream.receive());
  upstream.send(response_frame(1, "one") + response_frame(2, "two"));
  EXPECT_EQ(client.receive()->bytes, response_frame(1, "one"));
  EXPECT_EQ(client.receive()->bytes, response_frame(2, "two"));
}

TEST_F(InboundHealth, TellsConsumersOfALeavingProviderAndServesThem) {
  start();
  publish({a()});
  RawPeer client = consumer();
  client.send(request_frame({.id = 1}));
  RawPeer upstream = provider_.accept();
  ASSERT_TRUE(upstream.receive());
  LocalServicePort leaving = a();
  leaving.leaving = true;
  publish({leaving});
  expect_event(client.receive(), "\x01R");
  client.send(request_frame({.id = 2}));
  ASSERT_TRUE(upstream.receive());
  upstream.send(response_frame(1, "one") + response_frame(2, "two"));
  EXPECT_EQ(client.receive()->bytes, response_frame(1, "one"));
  EXPECT_EQ(client.receive()->bytes, response_frame(2, "two"));
  EXPECT_TRUE(client.sees_end());
}

TEST_F(InboundHealth, SaysWhatIsUnderWayForAPort) {
  RawListener other;
  start();
  publish({a(), b(other)});
  const auto traffic = [this](std::uint16_t port) {
    return forwarder_->local_traffic({port}, std::chrono::hours(1), testing::kDeadline);
  };
  EXPECT_EQ(traffic(provider_.port()).quiet_for, std::chrono::hours(1)) << "nobody ever called";
  RawPeer client = consumer();
  client.send(request_frame({.id = 1}) + request_frame({.id = 2}) +
              request_frame({.id = 3, .interface = "b.Service"}));
  RawPeer upstream = provider_.accept();
  ASSERT_TRUE(upstream.receive() && upstream.receive());
  EXPECT_EQ(traffic(provider_.port()).in_flight, 2U);
  EXPECT_LT(traffic(provider_.port()).quiet_for, testing::kDeadline);
  EXPECT_TRUE(traffic(provider_.port()).is_complete);
  EXPECT_TRUE(eventually([&] { return traffic(other.port()).in_flight == 1; }));
  upstream.send(response_frame(1, "one"));
  ASSERT_TRUE(client.receive());
  EXPECT_EQ(traffic(provider_.port()).in_flight, 1U);
}

TEST_F(InboundHealth, ServesAServiceByThoseOfItsPortsThatAreUp) {
  RawListener other;
  start();
  LocalServicePort second = a();
  second.port = other.port();
  publish({a(kWhy), second});
  RawPeer client = consumer();
  for (std::uint64_t id = 1; id <= 4; ++id) client.send(request_frame({.id = id}));
  RawPeer upstream = other.accept();
  for (std::uint64_t id = 1; id <= 4; ++id) {
    const auto request = upstream.receive();
    ASSERT_TRUE(request);
    EXPECT_EQ(request->header.request_id, id);
  }
}

}  // namespace
}  // namespace skiff::forwarder
