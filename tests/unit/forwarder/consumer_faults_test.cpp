// What consumers do wrong, on both ports: who does it may lose by it, others must not.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <iostream>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "forwarder/limits.h"
#include "support/answering_provider.h"
#include "support/forwarder_fixture.h"
#include "support/open_files.h"

namespace skiff::forwarder {
namespace {

using dubbo::Status;
using testing::AnsweringProvider;
using testing::eventually;
using ::testing::HasSubstr;
using testing::heartbeat_frame;
using testing::RawPeer;
using testing::request_frame;
using testing::response_frame;

struct PortUnderTest {
  std::string name;  // as metrics have it
  std::uint16_t (Forwarder::*number)() const;
};
std::ostream& operator<<(std::ostream& out, const PortUnderTest& port) { return out << port.name; }

class ConsumerFaults : public testing::ForwarderFixture,
                       public ::testing::WithParamInterface<PortUnderTest> {
 protected:
  void start_serving() {
    config_.provider_port = answering_.port();
    start();
    route({provider_at(answering_.port())});
  }

  RawPeer consumer() { return RawPeer::connect(port()); }
  std::uint16_t port() { return ((*forwarder_).*GetParam().number)(); }

  // Of this port.
  std::uint64_t own_counter(const std::string& name) {
    return counter(GetParam().name + "_" + name);
  }
  std::uint64_t connections() { return gauge(GetParam().name + "_connections"); }

  static bool is_answered(RawPeer& consumer, std::uint64_t id) {
    const auto answer = consumer.receive();
    return answer && answer->bytes == response_frame(id, "answer");
  }
  static bool is_served(RawPeer& consumer, std::uint64_t id = 1) {
    consumer.send(request_frame({.id = id}));
    return is_answered(consumer, id);
  }
  static void expect_refusal(RawPeer& consumer, std::uint64_t id) {
    const auto answer = consumer.receive();
    ASSERT_TRUE(answer) << "no answer";
    EXPECT_EQ(answer->header.request_id, id);
    EXPECT_EQ(answer->header.status, Status::kBadRequest);
    EXPECT_THAT(answer->body(), HasSubstr("body_limit"));
    EXPECT_TRUE(consumer.sees_end());
  }

  AnsweringProvider answering_;
};

TEST_P(ConsumerFaults, ForgetsAConsumerThatBreaksOffInTheMiddleOfAFrame) {
  start_serving();
  RawPeer other = consumer();
  ASSERT_TRUE(is_served(other));
  const std::uint64_t buffers_before = gauge("buffer_bytes");
  RawPeer resets = consumer();
  RawPeer ends = consumer();
  for (RawPeer* each : {&resets, &ends}) {
    ASSERT_TRUE(is_served(*each));
    each->send(testing::oversized_request_frame(2, 300'000).substr(0, 200'000));
  }
  ASSERT_TRUE(eventually([&] { return gauge("buffer_bytes") > buffers_before + 400'000; }));
  resets.reset();
  ends.close();
  ASSERT_TRUE(eventually([&] { return connections() == 1; }));
  EXPECT_EQ(own_counter("consumers_lost_total"), 2U);
  EXPECT_TRUE(is_served(other));
}

TEST_P(ConsumerFaults, CountsAConsumerThatLeavesInOrderAsNoFault) {
  start_serving();
  RawPeer leaves = consumer();
  ASSERT_TRUE(is_served(leaves));
  leaves.close();
  ASSERT_TRUE(eventually([&] { return connections() == 0; }));
  EXPECT_EQ(own_counter("consumers_lost_total"), 0U);
}

TEST_P(ConsumerFaults, ServesOthersWhileAThousandSendOneByteAtATime) {
  constexpr std::size_t kSlow = 1000;
  constexpr std::size_t kSmallestBlock = 4096;
  ASSERT_GE(testing::allow_open_files(4 * kSlow + 500), 4 * kSlow + 500);
  start_serving();
  RawPeer other = consumer();
  ASSERT_TRUE(is_served(other));
  const std::uint64_t buffers_before = gauge("buffer_bytes");
  std::vector<RawPeer> slow;
  while (slow.size() < kSlow) slow.push_back(consumer());
  const std::string frame = request_frame({.id = 7});
  const std::size_t bytes_one_by_one = 24;  // past the header
  for (std::size_t i = 0; i < bytes_one_by_one; ++i) {
    for (RawPeer& each : slow) each.send(std::string_view(frame).substr(i, 1));
    ASSERT_TRUE(is_served(other, i)) << "after " << i << " bytes";
  }
  EXPECT_EQ(connections(), kSlow + 1);
  EXPECT_TRUE(eventually([&] { return gauge("buffer_bytes") >= kSlow * kSmallestBlock; }));
  EXPECT_LE(gauge("buffer_bytes"), buffers_before + kSlow * kSmallestBlock);
  for (RawPeer& each : slow) each.send(std::string_view(frame).substr(bytes_one_by_one));
  for (RawPeer& each : slow) ASSERT_TRUE(is_answered(each, 7));
}

TEST_P(ConsumerFaults, ServesOthersWhileTenThousandConnect) {
  // Both ends are in this process.
  constexpr std::size_t kWanted = 10'000;
  constexpr std::size_t kOwn = 500;
  const std::size_t allowed = testing::allow_open_files(2 * kWanted + kOwn);
  const std::size_t count = std::min(kWanted, (allowed - kOwn) / 2);
  std::cout << "connections: " << count << '\n';
  start_serving();
  RawPeer other = consumer();
  ASSERT_TRUE(is_served(other));
  const std::uint64_t buffers_before = gauge("buffer_bytes");
  std::vector<RawPeer> many;
  while (many.size() < count) {
    many.push_back(consumer());
    if (many.size() % 500 != 0) continue;
    ASSERT_TRUE(is_served(other)) << "with " << many.size();
  }
  EXPECT_TRUE(eventually([&] { return connections() == count + 1; }));
  EXPECT_EQ(own_counter("connections_total"), count + 1);
  EXPECT_EQ(counter("accept_failures_total"), 0U);
  EXPECT_EQ(gauge("buffer_bytes"), buffers_before) << "idle connections own no buffer";
  for (RawPeer& each : many) each.send(heartbeat_frame(5));
  for (RawPeer& each : many) ASSERT_TRUE(each.receive());
  many.clear();
  EXPECT_TRUE(eventually([&] { return connections() == 1; }));
  EXPECT_TRUE(is_served(other));
}

TEST_P(ConsumerFaults, AcceptsLaterWhatComesWhileNoDescriptorIsLeft) {
#if defined(__SANITIZE_ADDRESS__)
  GTEST_SKIP() << "UndefinedBehaviorSanitizer opens a pipe to look at a type that it sees for the "
                  "first time, and takes the object for broken where it cannot";
#endif
  start_serving();
  RawPeer other = consumer();
  ASSERT_TRUE(is_served(other));
  RawPeer late = RawPeer::unconnected();
  {
    const testing::NoMoreOpenFiles no_more;
    late.connect_to(port());
    ASSERT_TRUE(eventually([&] { return counter("accept_failures_total") > 0; }));
    EXPECT_TRUE(is_served(other));
  }
  late.send(heartbeat_frame(9));
  EXPECT_TRUE(late.receive());
}

TEST_P(ConsumerFaults, TakesABodyOfTheLimitAndRefusesLongerOnes) {
  const std::string frame = request_frame({.id = 1, .argument = std::string(2000, 'x')});
  config_.body_limit = static_cast<std::uint32_t>(frame.size() - 16);
  start_serving();
  RawPeer at_limit = consumer();
  at_limit.send(frame);
  EXPECT_TRUE(is_answered(at_limit, 1));
  RawPeer just_over = consumer();
  just_over.send(testing::oversized_request_frame(2, config_.body_limit + 1));
  expect_refusal(just_over, 2);
  RawPeer far_over = consumer();
  far_over.send(testing::request_header(3, UINT32_MAX));
  expect_refusal(far_over, 3);
  EXPECT_EQ(counter("oversized_frames_total"), 2U);
  EXPECT_EQ(own_counter("bad_requests_total"), 2U);
  EXPECT_TRUE(is_served(at_limit, 4));
}

TEST_P(ConsumerFaults, ClosesWhoSendsGarbageButAnswersWhatCameBefore) {
  start_serving();
  for (const char* garbage :
       {"GET / HTTP/1.1\r\n\r\n", "PRI * HTTP/2.0\r\n", "ls\r\n", "\xda\xbc"}) {
    RawPeer client = consumer();
    client.send(garbage);
    EXPECT_TRUE(client.sees_end()) << garbage;
  }
  RawPeer client = consumer();
  ASSERT_TRUE(is_served(client));
  client.send("garbage where a header should stand");
  EXPECT_TRUE(client.sees_end());
  EXPECT_EQ(counter("foreign_protocol_total"), 5U);
}

// Consumers need not answer heartbeats of a server, so the agent sends none: whether a silent one
// is still there is the kernel's to find out.
TEST_P(ConsumerFaults, HasTheKernelLookForConsumersThatVanished) {
  start_serving();
  RawPeer client = consumer();
  ASSERT_TRUE(is_served(client));
  const std::uint16_t client_port = SocketAddress::local_of(client.fd()).port();
  int agents_end = -1;
  for (int fd = 0; fd < 1000 && agents_end < 0; ++fd) {
    const bool is_it = SocketAddress::peer_of(fd).family() == AF_INET &&
                       SocketAddress::peer_of(fd).port() == client_port &&
                       SocketAddress::local_of(fd).port() == port();
    if (is_it) agents_end = fd;
  }
  ASSERT_GE(agents_end, 0);
  const auto option = [agents_end](int level, int name) {
    int value = 0;
    socklen_t size = sizeof value;
    EXPECT_EQ(getsockopt(agents_end, level, name, &value, &size), 0);
    return value;
  };
  EXPECT_EQ(option(SOL_SOCKET, SO_KEEPALIVE), 1);
  EXPECT_EQ(option(IPPROTO_TCP, TCP_KEEPIDLE) +
                option(IPPROTO_TCP, TCP_KEEPINTVL) * option(IPPROTO_TCP, TCP_KEEPCNT),
            120)
      << "seconds until a consumer that vanished is given up";
}

INSTANTIATE_TEST_SUITE_P(EachPort, ConsumerFaults,
                         ::testing::Values(PortUnderTest{"outbound", &Forwarder::outbound_port},
                                           PortUnderTest{"inbound", &Forwarder::inbound_port}),
                         [](const auto& port) { return port.param.name; });

}  // namespace
}  // namespace skiff::forwarder
