// Who does not read stops its own traffic only, and costs a bounded amount of memory.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "forwarder/limits.h"
#include "support/answering_provider.h"
#include "support/forwarder_fixture.h"

namespace skiff::forwarder {
namespace {

using dubbo::Status;
using testing::AnsweringProvider;
using testing::eventually;
using testing::RawListener;
using testing::RawPeer;
using testing::request_frame;
using testing::response_frame;

const std::string& large_text() {
  static const std::string text(60'000, 'l');
  return text;
}

// The same bytes over and over, as many at a time as the kernel takes.
class Flood {
 public:
  Flood(RawPeer& peer, std::string bytes) : peer_(peer), bytes_(std::move(bytes)) {}
  // How many went out.
  std::size_t go_on() {
    const std::size_t sent = peer_.send_what_fits(std::string_view(bytes_).substr(at_));
    at_ = (at_ + sent) % bytes_.size();
    return sent;
  }

 private:
  RawPeer& peer_;
  std::string bytes_;
  std::size_t at_ = 0;
};

class BackPressure : public testing::ForwarderFixture {
 protected:
  static bool is_served(RawPeer& consumer, const std::string& version = "") {
    consumer.send(request_frame({.id = 1, .version = version}));
    const auto answer = consumer.receive();
    return answer && answer->header.request_id == 1 && answer->header.status == Status::kOk;
  }

  static std::string requests(std::size_t count, const std::string& version = "") {
    std::string frames;
    for (std::uint64_t id = 1; id <= count; ++id) {
      frames += request_frame({.id = id, .version = version});
    }
    return frames;
  }
  // For a provider that does not read; nobody waits for an answer.
  static std::string large_one_way_requests(std::size_t count, const std::string& interface,
                                            const std::string& version = "") {
    std::string frames;
    for (std::size_t i = 0; i < count; ++i) {
      frames += request_frame(
          {.interface = interface, .version = version, .argument = large_text(), .two_way = false});
    }
    return frames;
  }

  AnsweringProvider answering_;
};

class OutboundBackPressure : public BackPressure {
 protected:
  // Version 1 is what provider_ serves, if it does; version 2 answers at once.
  void start_with_two_providers() {
    start();
    route_clusters(
        {{"", "1", {provider_at(provider_.port())}}, {"", "2", {provider_at(answering_.port())}}});
  }
  RawPeer consumer() { return RawPeer::connect(forwarder_->outbound_port()); }
};

TEST_F(OutboundBackPressure, RefusesWhatAProviderDoesNotReadAndServesTheOthers) {
  start_with_two_providers();
  RawPeer client = consumer();
  RawPeer other = consumer();
  const std::string batch = large_one_way_requests(16, "a.Service", "1");
  ASSERT_TRUE(eventually([&] {
    client.send(batch);
    EXPECT_TRUE(is_served(client, "2"));
    EXPECT_TRUE(is_served(other, "2"));
    EXPECT_LT(gauge("buffer_bytes"), 3 * limits::kUpstreamQueueMaxBytes);
    return counter("outbound_one_way_dropped_total") > 0 || HasFailure();
  }));
  client.send(request_frame({.id = 7, .version = "1", .argument = large_text()}));
  const auto refusal = client.receive();
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->header.request_id, 7U);
  EXPECT_EQ(refusal->header.status, Status::kServerThreadpoolExhausted);
  EXPECT_EQ(counter("outbound_refused_by_limit_total"), 1U);
  EXPECT_EQ(counter("outbound_consumers_paused_total"), 0U);
}

TEST_F(OutboundBackPressure, LetsAProviderThatAnswersNothingHoldUpNoOther) {
  start_with_two_providers();
  RawPeer client = consumer();
  RawPeer other = consumer();
  client.send(requests(50, "1"));
  RawPeer silent = provider_.accept();
  ASSERT_TRUE(silent.skip(requests(50, "1").size()));
  for (int i = 0; i < 50; ++i) {
    ASSERT_TRUE(is_served(client, "2"));
    ASSERT_TRUE(is_served(other, "2"));
  }
  EXPECT_EQ(gauge("outbound_in_flight"), 50U);
}

// Both consumers' answers come on one connection.
TEST_F(OutboundBackPressure, ClosesAConsumerThatReadsNothingAndServesTheOthers) {
  const AnsweringProvider provider(large_text());
  start();
  governance::ProviderEndpoint patient = provider_at(provider.port());
  patient.timeout = std::chrono::minutes(1);  // where sanitizers make much of so many bytes
  route({patient});
  RawPeer stuck = consumer();
  RawPeer other = consumer();
  ASSERT_TRUE(is_served(other));
  stuck.send(requests(2 * limits::kDownstreamQueueMaxBytes / large_text().size()));
  ASSERT_TRUE(eventually([&] {
    EXPECT_TRUE(is_served(other));
    EXPECT_LT(gauge("buffer_bytes"), 3 * limits::kDownstreamQueueMaxBytes);
    return counter("outbound_slow_consumers_total") == 1 || HasFailure();
  }));
  EXPECT_GT(counter("outbound_consumers_paused_total"), 0U);
  EXPECT_TRUE(eventually([&] { return gauge("outbound_connections") == 1; }));
  EXPECT_EQ(counter("upstream_lost_total"), 0U);
  EXPECT_TRUE(is_served(other));
}

class InboundBackPressure : public BackPressure {
 protected:
  static constexpr std::size_t kUnread = 1000;

  void start_before(const AnsweringProvider& provider) {
    config_.provider_port = provider.port();
    start();
  }
  RawPeer consumer() { return RawPeer::connect(forwarder_->inbound_port()); }

  // Until nothing more goes out.
  void flood_until_held_back(Flood& flood) {
    std::size_t flooded = 0;
    ASSERT_TRUE(eventually([&] {
      const std::size_t sent = flood.go_on();
      flooded += sent;
      EXPECT_LT(flooded, 256 * limits::kMiB) << "nothing holds the consumer back";
      EXPECT_LT(gauge("buffer_bytes"), 8 * limits::kDownstreamHighBytes);
      return (sent == 0 && counter("inbound_consumers_paused_total") > 0) || HasFailure();
    }));
  }

  // Until the provider of `stuck` is not read from any more.
  void leave_answers_unread(RawPeer& stuck) {
    stuck.send(requests(kUnread));
    ASSERT_TRUE(eventually([&] { return counter("inbound_providers_paused_total") > 0; }));
  }
};

TEST_F(InboundBackPressure, ReadsNothingForAConsumerThatReadsNothingAndServesTheOthers) {
  const AnsweringProvider provider(large_text());
  start_before(provider);
  RawPeer stuck = consumer();
  RawPeer other = consumer();
  leave_answers_unread(stuck);
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(is_served(other));
    ASSERT_LT(gauge("buffer_bytes"), 8 * limits::kDownstreamHighBytes);
  }
  EXPECT_GT(counter("inbound_consumers_paused_total"), 0U);
  EXPECT_EQ(gauge("inbound_connections"), 2U);
  for (std::uint64_t id = 1; id <= kUnread; ++id) {
    const auto answer = stuck.receive();
    ASSERT_TRUE(answer);
    ASSERT_EQ(answer->header.request_id, id);
  }
}

TEST_F(InboundBackPressure, DoesNotTakeAProviderForDeadThatItDoesNotReadFrom) {
  config_.heartbeat_interval = std::chrono::milliseconds(100);
  const AnsweringProvider provider(large_text());
  start_before(provider);
  RawPeer stuck = consumer();
  RawPeer idle = consumer();
  leave_answers_unread(stuck);
  ASSERT_TRUE(is_served(idle));
  // To the provider of the idle one.
  const std::uint64_t enough =
      counter("heartbeats_sent_total") + std::uint64_t{3} * limits::kSilentHeartbeatsMax;
  ASSERT_TRUE(eventually([&] { return counter("heartbeats_sent_total") >= enough; }));
  EXPECT_EQ(counter("inbound_provider_lost_total"), 0U);
}

TEST_F(InboundBackPressure, StopsReadingFromAConsumerWhoseProviderDoesNotRead) {
  start();
  RawPeer client = consumer();
  client.send(request_frame({.id = 1}));
  RawPeer stuck = provider_.accept();
  ASSERT_TRUE(stuck.receive());
  RawPeer other = consumer();
  other.send(request_frame({.id = 1}));
  RawPeer free = provider_.accept();
  ASSERT_TRUE(free.receive());
  Flood flood(client, large_one_way_requests(16, "a.Service"));
  flood_until_held_back(flood);
  free.send(response_frame(1, "not held up"));
  EXPECT_EQ(other.receive()->bytes, response_frame(1, "not held up"));
}

// An agent's requests for all providers behind this port come on one connection.
TEST_F(InboundBackPressure, RefusesWhatAProviderDoesNotReadWhereOthersShareTheConnection) {
  start();
  forwarder_->update_local_services(
      {{{"stuck.Service", "", ""}, provider_.port()}, {{"a.Service", "", ""}, answering_.port()}});
  RawPeer client = consumer();
  const std::string batch = large_one_way_requests(16, "stuck.Service");
  ASSERT_TRUE(eventually([&] {
    client.send(batch);
    EXPECT_TRUE(is_served(client));
    EXPECT_LT(gauge("buffer_bytes"), 3 * limits::kLinkQueueMaxBytes);
    return counter("inbound_one_way_dropped_total") > 0 || HasFailure();
  }));
  client.send(request_frame({.id = 7, .interface = "stuck.Service", .argument = large_text()}));
  const auto refusal = client.receive();
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->header.request_id, 7U);
  EXPECT_EQ(refusal->header.status, Status::kServerThreadpoolExhausted);
  EXPECT_EQ(counter("inbound_refused_by_limit_total"), 1U);
  EXPECT_EQ(counter("inbound_consumers_paused_total"), 0U);
}

TEST_F(InboundBackPressure, ReadsAgainWhenAnotherProviderIsPublishedBesideAStuckOne) {
  start();
  RawPeer client = consumer();
  Flood flood(client, large_one_way_requests(16, "stuck.Service"));
  flood_until_held_back(flood);
  forwarder_->update_local_services(
      {{{"stuck.Service", "", ""}, provider_.port()}, {{"a.Service", "", ""}, answering_.port()}});
  RawPeer other = consumer();
  EXPECT_TRUE(is_served(other));
  EXPECT_TRUE(eventually([&] {
    flood.go_on();
    return counter("inbound_one_way_dropped_total") > 0;
  }));
}

}  // namespace
}  // namespace skiff::forwarder
