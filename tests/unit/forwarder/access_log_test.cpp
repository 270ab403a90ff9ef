#include "forwarder/access_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>

#include "forwarder/limits.h"
#include "support/answering_provider.h"
#include "support/forwarder_fixture.h"

namespace skiff::forwarder {
namespace {

using namespace std::chrono_literals;
using Format = AccessLogConfig::Format;
using Mode = AccessLogConfig::Mode;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using testing::RawPeer;
using testing::request_frame;

governance::FinishedRequest some_request() {
  governance::FinishedRequest request;
  request.facts = {.interface = "a.Service",
                   .version = "1.0.0",
                   .method = "hi\n\"",
                   .caller_address = "127.0.0.1:51234",
                   .application = "",
                   .received = std::chrono::steady_clock::time_point(1s),
                   .now = std::chrono::steady_clock::time_point(1s + 812us)};
  request.status = dubbo::Status::kOk;
  request.provider = "10.0.0.5:20882";
  request.attempts = 1;
  request.upstream_time = 790us;
  request.outcome = "ok";
  request.group = "g";
  request.trace = "4bf92f3577b34da6a3ce929d0e0e4736";
  request.request_bytes = 120;
  request.answer_bytes = 84;
  return request;
}

const std::chrono::system_clock::time_point kTime{1769903999123ms};

TEST(AccessLine, IsTextOfKeysAndWords) {
  AccessLineBuffer buffer;
  EXPECT_EQ(format_access_line(some_request(), Format::kText, kTime, buffer),
            "access time=2026-01-31T23:59:59.123Z service=a.Service group=g version=1.0.0 "
            "method=hi?\" caller=127.0.0.1:51234 application=- provider=10.0.0.5:20882 outcome=ok "
            "status=20 attempts=1 total=812us upstream=790us own=22us request_bytes=120 "
            "answer_bytes=84 trace=4bf92f3577b34da6a3ce929d0e0e4736\n");
}

TEST(AccessLine, IsAnObjectOfJson) {
  AccessLineBuffer buffer;
  governance::FinishedRequest request = some_request();
  request.upstream_time.reset();
  request.error = "no \"answer\"";
  EXPECT_EQ(format_access_line(request, Format::kJson, kTime, buffer),
            R"({"time":"2026-01-31T23:59:59.123Z","service":"a.Service","group":"g",)"
            R"("version":"1.0.0","method":"hi?\"","caller":"127.0.0.1:51234","application":"",)"
            R"("provider":"10.0.0.5:20882","outcome":"ok","status":20,"attempts":1,)"
            R"("total_us":812,"upstream_us":null,"own_us":812,"request_bytes":120,)"
            R"("answer_bytes":84,"trace":"4bf92f3577b34da6a3ce929d0e0e4736",)"
            R"("error":"no \"answer\""})"
            "\n");
}

TEST(AccessLine, IsBoundedWhateverItsPartsAre) {
  AccessLineBuffer buffer;
  const std::string long_text(2 * kAccessLineMax, 'x');
  governance::FinishedRequest request = some_request();
  request.provider = long_text;
  request.error = long_text;
  for (const Format format : {Format::kText, Format::kJson}) {
    const std::string_view line = format_access_line(request, format, kTime, buffer);
    EXPECT_LE(line.size(), kAccessLineMax);
    EXPECT_TRUE(line.ends_with('\n'));
  }
}

TEST(LineRing, DropsAndCountsWhatHasNoRoom) {
  LineRing ring;
  const std::string line = std::string(1023, 'x') + "\n";
  std::size_t pushed = 0;
  while (ring.push(line)) ++pushed;
  EXPECT_EQ(pushed, limits::kAccessLogRingBytes / line.size());
  EXPECT_EQ(ring.dropped(), 1U);
  std::string taken;
  ring.take_all(taken);
  EXPECT_EQ(taken.size(), pushed * line.size());
  EXPECT_TRUE(ring.push(line));
}

// ThreadSanitizer looks at this, too.
TEST(LineRing, GivesLinesInOrderWhileTheyCome) {
  LineRing ring;
  constexpr int kLines = 200'000;
  std::thread worker([&ring] {
    for (int i = 0; i < kLines;) {
      if (ring.push(std::to_string(i) + "\n")) ++i;
    }
  });
  std::string text;
  std::size_t at = 0;
  for (int expected = 0; expected < kLines;) {
    ring.take_all(text);
    for (std::size_t end = text.find('\n', at); end != std::string::npos;
         end = text.find('\n', at)) {
      ASSERT_EQ(text.substr(at, end - at), std::to_string(expected));
      ++expected;
      at = end + 1;
    }
  }
  worker.join();
}

class AccessLogOfCalls : public testing::ForwarderFixture {
 protected:
  ~AccessLogOfCalls() override { forwarder_.reset(); }  // before the rings
  void begin(AccessLogConfig access_log) {
    config_.access_log = access_log;
    config_.access_log_rings = &rings_;
    config_.hold_time = 20ms;
    rings_.push_back(std::make_unique<LineRing>());
    start();
    route({provider_at(answering_.port())});
  }
  void call(const testing::RequestSpec& spec) {
    RawPeer client = RawPeer::connect(forwarder_->outbound_port());
    client.send(request_frame(spec));
    if (spec.two_way) {
      EXPECT_TRUE(client.receive());
    }
  }
  std::string lines() {
    forwarder_->snapshot(testing::kDeadline);
    std::string taken;
    rings_.front()->take_all(taken);
    return taken;
  }

  testing::AnsweringProvider answering_;
  LineRings rings_;
};

TEST_F(AccessLogOfCalls, HasALineForEachOfThemWhereItIsFull) {
  begin({.mode = Mode::kFull});
  call({.attachments = {{"traceparent",
                         "00-4bf92f3577b34da6a3ce929d0e0e4736-"
                         "00f067aa0ba902b7-01"}}});
  EXPECT_THAT(lines(), MatchesRegex("access time=[^ ]+ service=a.Service group=- version=0.0.0 "
                                    "method=hi caller=127.0.0.1:[0-9]+ application=- "
                                    "provider=127.0.0.1:[0-9]+ outcome=ok status=20 attempts=1 "
                                    "total=[0-9]+us upstream=[0-9]+us own=[0-9]+us "
                                    "request_bytes=[0-9]+ answer_bytes=[0-9]+ "
                                    "trace=4bf92f3577b34da6a3ce929d0e0e4736\n"));
  call({.interface = "b.Unknown"});
  EXPECT_THAT(lines(), HasSubstr("service=b.Unknown group=- version=0.0.0 method=hi caller=127"));
  EXPECT_EQ(gauge("outbound_filtered"), 0U);
}

TEST_F(AccessLogOfCalls, NamesTheProvidersOfAOneWayRequestToSeveral) {
  begin({.mode = Mode::kFull});
  testing::AnsweringProvider second;
  governance::Policy policy;
  policy.mode = governance::ClusterMode::kBroadcast;
  governance::Cluster cluster;
  cluster.providers = {provider_at(answering_.port()), provider_at(second.port())};
  cluster.policies =
      std::make_shared<governance::Policies>(governance::Policies{.policy = policy, .methods = {}});
  route_clusters({cluster});
  call({.two_way = false});
  EXPECT_TRUE(testing::eventually([&] { return second.requests() == 1; }));
  EXPECT_THAT(lines(), HasSubstr("provider=127.0.0.1:" + std::to_string(answering_.port()) +
                                 ",127.0.0.1:" + std::to_string(second.port()) +
                                 " outcome=one_way status=0 attempts=2 "));
}

TEST_F(AccessLogOfCalls, HasOnlyErrorsWhereThatIsAsked) {
  begin({.mode = Mode::kErrors});
  call({});
  EXPECT_EQ(lines(), "");
  call({.version = "9"});
  EXPECT_THAT(lines(), HasSubstr(" outcome=not_found status=60 attempts=0 "));
}

TEST_F(AccessLogOfCalls, HasOnlySlowOnesWhereThatIsAsked) {
  begin({.mode = Mode::kSlow, .slow_time = 20ms});
  call({});
  EXPECT_EQ(lines(), "");
  call({.interface = "b.Unknown"});  // which is held for 20 ms
  EXPECT_THAT(lines(), HasSubstr("service=b.Unknown"));
}

TEST_F(AccessLogOfCalls, HasNoneWhereItIsOff) {
  begin({});
  call({});
  EXPECT_EQ(lines(), "");
}

}  // namespace
}  // namespace skiff::forwarder
