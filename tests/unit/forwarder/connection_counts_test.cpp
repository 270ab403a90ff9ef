#include "forwarder/connection_counts.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <ostream>
#include <random>
#include <thread>
#include <vector>

#include "support/forwarder_fixture.h"

namespace skiff::forwarder {
namespace {

using testing::eventually;
using testing::heartbeat_frame;
using testing::RawPeer;

std::size_t share_and_one(std::size_t connections, std::size_t workers) {
  return (connections + workers - 1) / workers + 1;
}

TEST(ConnectionCounts, GiveNobodyMoreThanItsShareAndOneWhoeverAccepts) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (std::size_t workers = 1; workers <= 8; ++workers) {
    ConnectionCounts counts(workers);
    std::vector<ConnectionTicket> tickets;
    std::vector<std::size_t> placed(workers);
    for (std::size_t n = 1; n <= 100; ++n) {
      auto [worker, ticket] = counts.place(random() % workers);
      tickets.push_back(std::move(ticket));
      ++placed[worker];
      ASSERT_LE(*std::ranges::max_element(placed), share_and_one(n, workers)) << "of " << n;
    }
  }
}

TEST(ConnectionCounts, GiveNobodyMoreThanItsShareAndOneWhereAllAcceptAtOnce) {
  constexpr std::size_t kWorkers = 4;
  constexpr std::size_t kEach = 1000;
  ConnectionCounts counts(kWorkers);
  std::array<std::vector<ConnectionCounts::Place>, kWorkers> places;
  {
    std::vector<std::jthread> threads;
    for (std::size_t accepting = 0; accepting < kWorkers; ++accepting) {
      threads.emplace_back([&, accepting] {
        // The first accept three times as many as the last.
        const std::size_t own = kEach * (3 * kWorkers - 2 * accepting) / (2 * kWorkers);
        for (std::size_t i = 0; i < own; ++i) places[accepting].push_back(counts.place(accepting));
      });
    }
  }
  std::array<std::size_t, kWorkers> placed{};
  std::size_t all = 0;
  for (const auto& of_one : places) {
    for (const auto& place : of_one) ++placed[place.worker];
    all += of_one.size();
  }
  EXPECT_LE(*std::ranges::max_element(placed), share_and_one(all, kWorkers));
}

TEST(ConnectionCounts, LetAWorkerKeepWhatItAcceptsWhereOthersHaveNotClearlyFewer) {
  ConnectionCounts counts(2);
  const auto first = counts.place(0);
  EXPECT_EQ(first.worker, 0U);
  const auto second = counts.place(0);
  EXPECT_EQ(second.worker, 0U) << "a difference of one is not worth handing over";
  const auto third = counts.place(0);
  EXPECT_EQ(third.worker, 1U);
}

TEST(ConnectionCounts, CountAConnectionUntilItsTicketGoes) {
  ConnectionCounts counts(2);
  {
    const auto first = counts.place(0);
    const auto second = counts.place(0);
  }
  EXPECT_EQ(counts.place(0).worker, 0U);
}

TEST(ConnectionCounts, LetEverybodyKeepWhatItAcceptsOnceHandingOverIsStopped) {
  ConnectionCounts counts(2);
  counts.stop_handing_over();
  std::vector<ConnectionTicket> tickets;
  for (int i = 0; i < 10; ++i) {
    auto [worker, ticket] = counts.place(0);
    EXPECT_EQ(worker, 0U);
    tickets.push_back(std::move(ticket));
  }
}

// The real thing: both ports of a forwarder with four workers.
struct PortUnderTest {
  const char* name;
  std::uint16_t (Forwarder::*number)() const;
};
std::ostream& operator<<(std::ostream& out, const PortUnderTest& port) { return out << port.name; }

class ConnectionBalance : public testing::ForwarderFixture,
                          public ::testing::WithParamInterface<PortUnderTest> {
 protected:
  static constexpr std::size_t kWorkers = 4;

  ConnectionBalance() { config_.workers = kWorkers; }

  RawPeer consumer() { return RawPeer::connect(((*forwarder_).*GetParam().number)()); }
  std::uint64_t open() { return gauge(std::string(GetParam().name) + "_connections"); }
  std::uint64_t of_busiest() {
    return gauge(std::string(GetParam().name) + "_connections_of_busiest_worker");
  }
  static bool is_served(RawPeer& consumer) {
    consumer.send(heartbeat_frame(1));
    return consumer.receive().has_value();
  }
};

TEST_P(ConnectionBalance, GivesNoWorkerMoreThanItsShareAndOne) {
  start();
  std::vector<RawPeer> consumers;
  while (consumers.size() < 40) consumers.push_back(consumer());
  for (RawPeer& each : consumers) ASSERT_TRUE(is_served(each));
  EXPECT_EQ(open(), consumers.size());
  EXPECT_LE(of_busiest(), share_and_one(consumers.size(), kWorkers));
  // One run in ten thousand has had nothing to hand over so far.
  EXPECT_TRUE(eventually([&] {
    if (counter("connections_handed_over_total") > 0) return true;
    consumers.push_back(consumer());
    return false;
  }));
}

TEST_P(ConnectionBalance, GivesNewConnectionsToWhoseConnectionsHaveGone) {
  start();
  std::vector<RawPeer> consumers;
  for (int round = 0; round < 3; ++round) {
    while (consumers.size() < 40) consumers.push_back(consumer());
    for (RawPeer& each : consumers) ASSERT_TRUE(is_served(each));
    EXPECT_LE(of_busiest(), share_and_one(40, kWorkers)) << "in round " << round;
    consumers.clear();
    ASSERT_TRUE(eventually([&] { return open() == 0; }));
  }
}

// Those that a worker has accepted and another has not been given yet, too.
TEST_P(ConnectionBalance, ClosesEveryConnectionWhenTheForwarderEnds) {
  for (int i = 0; i < 20; ++i) {
    start();
    std::vector<RawPeer> consumers;
    while (consumers.size() < 10) consumers.push_back(consumer());
    forwarder_.reset();
    for (RawPeer& each : consumers) EXPECT_TRUE(each.sees_end());
  }
}

TEST_P(ConnectionBalance, DrainsWhileConnectionsCome) {
  start();
  std::vector<RawPeer> consumers;
  while (consumers.size() < 40) consumers.push_back(consumer());
  EXPECT_TRUE(forwarder_->drain(testing::kDeadline));
  for (RawPeer& each : consumers) {
    while (each.receive()) continue;  // READONLY on the inbound port
    EXPECT_TRUE(each.sees_end());
  }
}

INSTANTIATE_TEST_SUITE_P(EachPort, ConnectionBalance,
                         ::testing::Values(PortUnderTest{"outbound", &Forwarder::outbound_port},
                                           PortUnderTest{"inbound", &Forwarder::inbound_port}),
                         [](const auto& port) { return std::string(port.param.name); });

}  // namespace
}  // namespace skiff::forwarder
