// Connections that go from one process to its successor; here both are forwarders of one process.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "support/answering_provider.h"
#include "support/forwarder_fixture.h"

namespace skiff::forwarder {
namespace {

using testing::AnsweringProvider;
using ::testing::ElementsAre;
using testing::eventually;
using testing::RawPeer;
using testing::request_frame;
using testing::response_frame;

constexpr std::chrono::seconds kLimit{5};

// After hand_over(), forwarder_ is the successor; those before it finish what they have in flight.
class Handover : public testing::ForwarderFixture {
 protected:
  void route_to(std::uint16_t port) {
    port_ = port;
    route({provider_at(port)});
  }

  // Started, on the same ports.
  std::unique_ptr<Forwarder> successor(unsigned workers) {
    ForwarderConfig config = config_;
    config.workers = workers;
    config.outbound.port = forwarder_->outbound_port();
    config.inbound.port = forwarder_->inbound_port();
    auto opened = Forwarder::open(config, *this, *forwarder_->listeners());
    EXPECT_TRUE(opened) << opened.error().message;
    (*opened)->start();
    return std::move(*opened);
  }
  static Forwarder::GiveConnections to(Forwarder& successor) {
    return [&successor](CarriedConnections connections) {
      successor.adopt(std::move(connections));
      return Result<void>();
    };
  }
  // The successor serves from here on.
  void take_its_place(std::unique_ptr<Forwarder> successor) {
    forwarder_->leave_to_successor();
    before_.push_back(std::exchange(forwarder_, std::move(successor)));
    if (port_ != 0) route({provider_at(port_)});
    forwarder_->serve();
  }
  // As two processes do it.
  void hand_over() {
    auto next = successor(config_.workers);
    ASSERT_TRUE(forwarder_->hand_over(to(*next), kLimit));
    take_its_place(std::move(next));
  }
  RawPeer consumer() { return RawPeer::connect(forwarder_->outbound_port()); }
  RawPeer inbound_consumer() { return RawPeer::connect(forwarder_->inbound_port()); }
  bool all_before_are_quiet() {
    return std::ranges::all_of(before_, [](const auto& one) { return one->drain(kLimit); });
  }

  std::vector<std::unique_ptr<Forwarder>> before_;
  std::uint16_t port_ = 0;
};

TEST_F(Handover, AConsumersConnectionGoesOn) {
  start();
  AnsweringProvider provider;
  route_to(provider.port());
  RawPeer client = consumer();
  client.send(request_frame({.id = 1}));
  EXPECT_EQ(client.receive()->header.request_id, 1U);
  hand_over();
  client.send(request_frame({.id = 2}));
  EXPECT_EQ(client.receive()->header.request_id, 2U);
  EXPECT_EQ(counter("outbound_connections_adopted_total"), 1U);
  EXPECT_EQ(counter("outbound_requests_total"), 1U);
  EXPECT_TRUE(all_before_are_quiet());
  client.send(request_frame({.id = 3}));
  EXPECT_EQ(client.receive()->header.request_id, 3U);
}

TEST_F(Handover, WhatIsInFlightIsAnsweredByWhoSentIt) {
  start();
  route_to(provider_.port());
  RawPeer client = consumer();
  client.send(request_frame({.id = 1}) + request_frame({.id = 2}));
  RawPeer upstream = provider_.accept();
  const auto first = upstream.receive();
  const auto second = upstream.receive();
  ASSERT_TRUE(first && second);
  hand_over();
  client.send(request_frame({.id = 3}));
  RawPeer new_upstream = provider_.accept();
  const auto third = new_upstream.receive();
  ASSERT_TRUE(third);
  upstream.send(response_frame(second->header.request_id, "second"));
  EXPECT_EQ(client.receive()->bytes, response_frame(2, "second"));
  new_upstream.send(response_frame(third->header.request_id, "third"));
  EXPECT_EQ(client.receive()->bytes, response_frame(3, "third"));
  upstream.send(response_frame(first->header.request_id, "first"));
  EXPECT_EQ(client.receive()->bytes, response_frame(1, "first"));
  EXPECT_EQ(counter("outbound_answers_of_predecessor_total"), 2U);
  EXPECT_TRUE(all_before_are_quiet());
  EXPECT_FALSE(client.has_input());
}

TEST_F(Handover, AnswersPassSeveralSuccessors) {
  start();
  route_to(provider_.port());
  RawPeer client = consumer();
  client.send(request_frame({.id = 1}));
  RawPeer upstream = provider_.accept();
  const auto first = upstream.receive();
  ASSERT_TRUE(first);
  hand_over();
  client.send(request_frame({.id = 2}));
  RawPeer next_upstream = provider_.accept();
  const auto second = next_upstream.receive();
  ASSERT_TRUE(second);
  hand_over();
  hand_over();
  upstream.send(response_frame(first->header.request_id, "first"));
  EXPECT_EQ(client.receive()->bytes, response_frame(1, "first"));
  next_upstream.send(response_frame(second->header.request_id, "second"));
  EXPECT_EQ(client.receive()->bytes, response_frame(2, "second"));
  EXPECT_TRUE(all_before_are_quiet());
}

TEST_F(Handover, AFrameThatHasComeInPartIsReadToItsEnd) {
  start();
  AnsweringProvider provider;
  route_to(provider.port());
  for (const std::size_t argument_size : {std::size_t{10}, std::size_t{60'000}}) {
    RawPeer client = consumer();
    const std::string frame = request_frame({.id = 7, .argument = std::string(argument_size, 'a')});
    for (const std::size_t cut : {std::size_t{3}, std::size_t{16}, frame.size() / 2}) {
      client.send(frame.substr(0, cut));
      // It is read before what comes later on another connection.
      RawPeer other = consumer();
      other.send(request_frame({.id = 8}));
      ASSERT_TRUE(other.receive());
      hand_over();
      client.send(frame.substr(cut));
      EXPECT_EQ(client.receive()->header.request_id, 7U);
    }
  }
}

TEST_F(Handover, WhatAConsumerHasNotTakenYetComesInOrder) {
  start();
  route_to(provider_.port());
  RawPeer client = consumer();
  std::string requests;
  for (std::uint64_t id = 1; id <= 3; ++id) requests += request_frame({.id = id});
  client.send(requests);
  RawPeer upstream = provider_.accept();
  constexpr std::uint32_t kLarge = 5 * 1024 * 1024;
  const auto large = [](std::uint64_t id) {
    return testing::response_header(id, kLarge) + std::string(kLarge, 'x');
  };
  std::vector<std::uint64_t> ids;
  ids.reserve(3);
  for (int i = 0; i < 3; ++i) ids.push_back(upstream.receive()->header.request_id);
  upstream.send(large(ids[0]));
  upstream.send(large(ids[1]));
  ASSERT_TRUE(eventually([&] { return counter("outbound_answered_total") == 2; }));
  hand_over();
  upstream.send(response_frame(ids[2], "small"));
  EXPECT_TRUE(client.receive()->bytes == large(1));
  EXPECT_TRUE(client.receive()->bytes == large(2));
  EXPECT_EQ(client.receive()->bytes, response_frame(3, "small"));
}

TEST_F(Handover, WithoutASuccessorAllGoesOnAsBefore) {
  start();
  route_to(provider_.port());
  RawPeer client = consumer();
  const std::string half = request_frame({.id = 2}).substr(0, 20);
  client.send(request_frame({.id = 1}) + half);
  RawPeer upstream = provider_.accept();
  const auto first = upstream.receive();
  ASSERT_TRUE(first);
  RawPeer late = RawPeer::unconnected();
  const auto refused = forwarder_->hand_over(
      [&](const CarriedConnections& connections) -> Result<void> {
        EXPECT_EQ(connections.consumers.size(), 1U);
        upstream.send(response_frame(first->header.request_id, "first"));
        late.connect_to(forwarder_->outbound_port());
        late.send(request_frame({.id = 5}));
        return fail(ErrorCode::kUnavailable, "it does not want them");
      },
      kLimit);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, "it does not want them");
  forwarder_->resume();
  EXPECT_EQ(client.receive()->bytes, response_frame(1, "first"));
  client.send(request_frame({.id = 2}).substr(20));
  for (int i = 0; i < 2; ++i) {
    const auto request = upstream.receive();
    upstream.send(response_frame(request->header.request_id, "later"));
  }
  EXPECT_EQ(client.receive()->bytes, response_frame(2, "later"));
  EXPECT_EQ(late.receive()->bytes, response_frame(5, "later"));
}

TEST_F(Handover, WhoWaitsToBeAcceptedIsServedByTheSuccessor) {
  config_.workers = 3;
  start();
  AnsweringProvider provider;
  route_to(provider.port());
  auto next = successor(2);
  ASSERT_TRUE(forwarder_->hand_over(to(*next), kLimit));
  std::vector<RawPeer> waiting;
  for (std::uint64_t i = 0; i < 20; ++i) {
    waiting.push_back(consumer());
    waiting.back().send(request_frame({.id = i}));
  }
  take_its_place(std::move(next));
  EXPECT_TRUE(all_before_are_quiet());
  for (std::uint64_t i = 0; i < 20; ++i) EXPECT_EQ(waiting[i].receive()->header.request_id, i);
}

TEST_F(Handover, ManyGoOverAFewAtATimeAndThoseThatAreRefusedStay) {
  start();
  AnsweringProvider provider;
  route_to(provider.port());
  constexpr std::size_t kClients = 2 * limits::kHandedOverAtOnce + 1;
  std::vector<RawPeer> clients;
  clients.reserve(kClients);
  for (std::size_t i = 0; i < kClients; ++i) clients.push_back(consumer());
  ASSERT_TRUE(eventually([&] { return gauge("outbound_connections") == kClients; }));
  auto next = successor(config_.workers);
  std::vector<std::size_t> turns;
  const auto give = [&](CarriedConnections connections) -> Result<void> {
    turns.push_back(connections.consumers.size());
    if (turns.size() == 2) return fail(ErrorCode::kUnavailable, "not now");
    return to(*next)(std::move(connections));
  };
  EXPECT_FALSE(forwarder_->hand_over(give, kLimit));
  EXPECT_THAT(turns, ElementsAre(limits::kHandedOverAtOnce, limits::kHandedOverAtOnce));
  EXPECT_TRUE(eventually(
      [&] { return gauge("outbound_connections") == kClients - limits::kHandedOverAtOnce; }));
  forwarder_->resume();
  RawPeer late = consumer();
  late.send(request_frame({.id = 1}));
  EXPECT_TRUE(late.receive());

  const auto handed = forwarder_->hand_over(give, kLimit);
  ASSERT_TRUE(handed);
  EXPECT_EQ(handed->consumers, kClients - limits::kHandedOverAtOnce + 1);
  EXPECT_EQ(handed->inbound, 0U);
  take_its_place(std::move(next));
  for (RawPeer& client : clients) {
    client.send(request_frame({.id = 2}));
    EXPECT_TRUE(client.receive());
  }
  EXPECT_TRUE(all_before_are_quiet());
}

// A worker that stands still from the first turn on; what comes after that is called off.
TEST_F(Handover, AWorkerThatDoesNotComeToItsTurnIsNotWaitedFor) {
  config_.workers = 2;
  start();
  std::vector<RawPeer> clients;
  clients.reserve(8);
  for (int i = 0; i < 8; ++i) clients.push_back(consumer());
  ASSERT_TRUE(eventually([&] { return gauge("outbound_connections") == clients.size(); }));
  auto next = successor(2);
  std::promise<void> go_on;
  std::size_t given = 0;
  const auto give = [&](CarriedConnections connections) {
    EXPECT_EQ(std::exchange(given, connections.consumers.size()), 0U) << "it was called off";
    forwarder_->when_applied([until = go_on.get_future().share()] { until.wait(); });
    return to(*next)(std::move(connections));
  };
  const auto handed = forwarder_->hand_over(give, std::chrono::seconds(2));
  ASSERT_FALSE(handed);
  EXPECT_THAT(handed.error().message, ::testing::HasSubstr("does not come to"));
  forwarder_->resume();
  go_on.set_value();
  EXPECT_TRUE(eventually([&] { return gauge("outbound_connections") == clients.size() - given; }));
  EXPECT_GT(given, 0U);
  EXPECT_LT(given, clients.size());
}

TEST_F(Handover, ListenersOfAnotherAddressAreRefused) {
  start();
  ForwarderConfig config = config_;
  config.outbound.port = static_cast<std::uint16_t>(forwarder_->outbound_port() ^ 1U);
  const auto successor = Forwarder::open(config, *this, *forwarder_->listeners());
  ASSERT_FALSE(successor);
  EXPECT_THAT(successor.error().message,
              ::testing::HasSubstr("what was handed over listens on 127.0.0.1:" +
                                   std::to_string(forwarder_->outbound_port())));
}

TEST_F(Handover, AHalfClosedConsumerGetsItsAnswers) {
  start();
  route_to(provider_.port());
  RawPeer client = consumer();
  client.send(request_frame({.id = 1}));
  RawPeer upstream = provider_.accept();
  const auto request = upstream.receive();
  ASSERT_TRUE(request);
  hand_over();
  shutdown(client.fd(), SHUT_WR);
  upstream.send(response_frame(request->header.request_id, "late"));
  EXPECT_EQ(client.receive()->bytes, response_frame(1, "late"));
  EXPECT_TRUE(client.sees_end());
}

TEST_F(Handover, AConsumerThatLeavesLeavesNothingBehind) {
  start();
  route_to(provider_.port());
  {
    RawPeer client = consumer();
    client.send(request_frame({.id = 1}));
    RawPeer upstream = provider_.accept();
    const auto request = upstream.receive();
    ASSERT_TRUE(request);
    hand_over();
    client.close();
    upstream.send(response_frame(request->header.request_id, "for nobody"));
    EXPECT_TRUE(eventually([&] { return gauge("outbound_connections") == 0; }));
    EXPECT_TRUE(all_before_are_quiet());
  }
}

TEST_F(Handover, AnInboundConnectionKeepsItsProviderConnection) {
  start();
  RawPeer client = inbound_consumer();
  client.send(request_frame({.id = 1}) + request_frame({.id = 2}).substr(0, 20));
  RawPeer upstream = provider_.accept();
  ASSERT_TRUE(upstream.receive());
  hand_over();
  EXPECT_EQ(counter("inbound_connections_adopted_total"), 1U);
  EXPECT_EQ(gauge("inbound_in_flight"), 1U);
  upstream.send(response_frame(1, "first"));
  EXPECT_EQ(client.receive()->bytes, response_frame(1, "first"));
  client.send(request_frame({.id = 2}).substr(20));
  EXPECT_EQ(upstream.receive()->bytes, request_frame({.id = 2}));
  upstream.send(response_frame(2, "second") + request_frame({.id = 900, .method = "callback"}));
  EXPECT_EQ(client.receive()->bytes, response_frame(2, "second"));
  EXPECT_EQ(client.receive()->bytes, request_frame({.id = 900, .method = "callback"}));
  hand_over();
  client.send(response_frame(900, "called back"));
  EXPECT_EQ(upstream.receive()->bytes, response_frame(900, "called back"));
  EXPECT_TRUE(all_before_are_quiet());
}

TEST_F(Handover, AnInboundConnectionGoesOnWithoutASuccessor) {
  start();
  RawPeer client = inbound_consumer();
  client.send(request_frame({.id = 1}));
  RawPeer upstream = provider_.accept();
  ASSERT_TRUE(upstream.receive());
  EXPECT_FALSE(forwarder_->hand_over(
      [&](const CarriedConnections& connections) {
        EXPECT_EQ(connections.inbound.size(), 1U);
        upstream.send(response_frame(1, "first"));
        return fail(ErrorCode::kUnavailable, "it does not want them");
      },
      kLimit));
  forwarder_->resume();
  EXPECT_EQ(client.receive()->bytes, response_frame(1, "first"));
}

}  // namespace
}  // namespace skiff::forwarder
