// Requests none of whose providers can be connected to: they wait until one can, or their time is
// over.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <chrono>
#include <string>

#include "forwarder/limits.h"
#include "forwarder/socket.h"
#include "support/forwarder_fixture.h"

namespace skiff::forwarder {
namespace {

using dubbo::Status;
using testing::eventually;
using ::testing::HasSubstr;
using testing::RawListener;
using testing::RawPeer;
using testing::request_frame;
using testing::response_frame;

// A provider that can come back at the port that it had.
class AbsentProvider {
 public:
  AbsentProvider() {
    RawListener listener;
    port_ = listener.port();
  }

  std::uint16_t port() const { return port_; }
  void come_back() {
    auto fd = listen_on(*SocketAddress::parse("127.0.0.1", port_), false);
    ASSERT_TRUE(fd) << fd.error().message;
    fd_ = std::move(*fd);
  }
  RawPeer accept() {
    EXPECT_TRUE(eventually([this] {
      connection_ = Fd(accept4(fd_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      return connection_.get() >= 0;
    }));
    return RawPeer(std::move(connection_));
  }

 private:
  std::uint16_t port_ = 0;
  Fd fd_;
  Fd connection_;
};

class OutboundWaiting : public testing::ForwarderFixture {
 protected:
  RawPeer consumer() { return RawPeer::connect(forwarder_->outbound_port()); }
  bool waits(std::uint64_t count) {
    return eventually([&] { return gauge("outbound_waiting") == count; });
  }
  static void serve(RawPeer& upstream) {
    const auto request = upstream.receive();
    ASSERT_TRUE(request);
    upstream.send(response_frame(request->header.request_id, "served"));
  }

  AbsentProvider absent_;
};

TEST_F(OutboundWaiting, SendsWhatWaitedWhenItsOnlyProviderIsBack) {
  start();
  route({provider_at(absent_.port())});
  RawPeer client = consumer();
  constexpr std::uint64_t kCount = 20;
  for (std::uint64_t id = 1; id <= kCount; ++id) {
    client.send(request_frame({.id = id, .attachments = {{"timeout", "60000"}}}));
  }
  ASSERT_TRUE(waits(kCount));
  absent_.come_back();
  RawPeer upstream = absent_.accept();
  for (std::uint64_t i = 0; i < kCount; ++i) serve(upstream);
  for (std::uint64_t i = 0; i < kCount; ++i) {
    const auto answer = client.receive();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->header.status, Status::kOk);
  }
  EXPECT_EQ(gauge("outbound_waiting"), 0U);
  EXPECT_EQ(counter("outbound_errors_total"), 0U);
  EXPECT_GE(counter("outbound_waited_total"), kCount);
}

TEST_F(OutboundWaiting, KeepsTheBytesOfARequestThatWaited) {
  start();
  route({provider_at(absent_.port())});
  RawPeer client = consumer();
  const std::string sent = request_frame({.id = 7, .attachments = {{"timeout", "60000"}}});
  client.send(sent);
  ASSERT_TRUE(waits(1));
  absent_.come_back();
  RawPeer upstream = absent_.accept();
  const auto arrived = upstream.receive();
  ASSERT_TRUE(arrived);
  EXPECT_EQ(arrived->body(), sent.substr(dubbo::FrameHeader::kSize));
  upstream.send(response_frame(arrived->header.request_id, "served"));
  EXPECT_EQ(client.receive()->bytes, response_frame(7, "served"));
}

TEST_F(OutboundWaiting, AnswersWithStatus80BeforeTheConsumerGivesUp) {
  start();
  route({provider_at(absent_.port())});
  RawPeer client = consumer();
  const auto began = std::chrono::steady_clock::now();
  client.send(request_frame({.id = 1, .attachments = {{"timeout", "800"}}}));
  const auto answer = client.receive();
  const auto took = std::chrono::steady_clock::now() - began;
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->header.status, Status::kServerError);
  EXPECT_THAT(answer->body(), HasSubstr("can be reached"));
  EXPECT_THAT(answer->body(), HasSubstr("connection refused"));
  EXPECT_GE(took, std::chrono::milliseconds(500));
  EXPECT_EQ(counter("outbound_provider_unreachable_total"), 1U);
  EXPECT_EQ(gauge("outbound_waiting"), 0U);
}

TEST_F(OutboundWaiting, AnswersAtOnceWhereTheTimeIsTooShortToWait) {
  start();
  route({provider_at(absent_.port())});
  RawPeer client = consumer();
  client.send(request_frame({.id = 1, .attachments = {{"timeout", "50"}}}));
  EXPECT_EQ(client.receive()->header.status, Status::kServerError);
  EXPECT_EQ(counter("outbound_waited_total"), 0U);
}

TEST_F(OutboundWaiting, GoesToAProviderThatIsRegisteredMeanwhile) {
  start();
  route({provider_at(absent_.port())});
  RawPeer client = consumer();
  client.send(request_frame({.id = 1, .attachments = {{"timeout", "60000"}}}));
  ASSERT_TRUE(waits(1));
  route({provider_at(absent_.port()), provider_at(provider_.port())});
  RawPeer upstream = provider_.accept();
  serve(upstream);
  EXPECT_EQ(client.receive()->bytes, response_frame(1, "served"));
}

TEST_F(OutboundWaiting, LetsOneGroupThatIsGoneHoldUpNoOtherOne) {
  start();
  route_clusters({{"gone", "", {provider_at(absent_.port())}},
                  {"served", "", {provider_at(provider_.port())}}});
  RawPeer client = consumer();
  client.send(request_frame({.id = 1, .attachments = {{"timeout", "60000"}, {"group", "gone"}}}));
  ASSERT_TRUE(waits(1));
  client.send(request_frame({.id = 2, .attachments = {{"group", "served"}}}));
  RawPeer upstream = provider_.accept();
  serve(upstream);
  EXPECT_EQ(client.receive()->bytes, response_frame(2, "served"));
  EXPECT_EQ(gauge("outbound_waiting"), 1U);
}

TEST_F(OutboundWaiting, DropsOneWayRequestsAtOnce) {
  start();
  route({provider_at(absent_.port())});
  RawPeer client = consumer();
  client.send(request_frame({.id = 1, .two_way = false}));
  EXPECT_TRUE(eventually([this] { return counter("outbound_one_way_dropped_total") == 1; }));
  EXPECT_EQ(counter("outbound_waited_total"), 0U);
}

TEST_F(OutboundWaiting, RefusesWhatIsOverTheLimit) {
  start();
  route({provider_at(absent_.port())});
  RawPeer client = consumer();
  std::string frames;
  for (std::uint64_t id = 0; id <= limits::kHeldRequestsMax; ++id) {
    frames += request_frame({.id = id, .attachments = {{"timeout", "60000"}}});
  }
  client.send(frames);
  const auto answer = client.receive();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->header.status, Status::kServerError);
  // One may be out of the queue at this moment, as the first that tries to connect again.
  EXPECT_TRUE(eventually([&] { return gauge("outbound_waiting") == limits::kHeldRequestsMax; }));
}

}  // namespace
}  // namespace skiff::forwarder
