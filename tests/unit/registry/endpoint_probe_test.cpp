// Probes of real sockets on loopback.

#include "registry/endpoint_probe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <condition_variable>
#include <future>
#include <memory>
#include <mutex>
#include <thread>

#include "dubbo/down_question.h"
#include "dubbo/frame.h"
#include "dubbo/response.h"
#include "registry/control_thread.h"
#include "support/loopback_listener.h"
#include "support/silent_listener.h"

namespace skiff::registry {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kShort{200};
constexpr milliseconds kLong{20'000};

class EndpointProbeTest : public testing::Test {
 protected:
  ProbeReport ask(const std::string& address, milliseconds limit,
                  const std::set<std::string>& services) {
    auto result = std::make_shared<std::promise<ProbeReport>>();
    auto future = result->get_future();
    EndpointProbe prober(thread_, limit);
    prober.probe(address, services,
                 [result](const ProbeReport& found) { result->set_value(found); });
    if (future.wait_for(std::chrono::seconds(30)) != std::future_status::ready) {
      ADD_FAILURE() << "no result";
      return {};
    }
    return future.get();
  }
  ProbeResult probe(const std::string& address, milliseconds limit) {
    return ask(address, limit, {}).result;
  }

  // A peer that closes with something unread resets the connection, and what it sent may be lost
  // with it.
  static dubbo::FrameHeader read_heartbeat(int peer) {
    std::array<std::byte, dubbo::FrameHeader::kSize> header{};
    EXPECT_EQ(recv(peer, header.data(), header.size(), MSG_WAITALL), 16);
    const auto request = dubbo::parse_frame_header(header, 1024).value_or(dubbo::FrameHeader{});
    EXPECT_TRUE(request.is_event && request.is_two_way);
    std::vector<std::byte> body(request.body_size);
    EXPECT_EQ(recv(peer, body.data(), body.size(), MSG_WAITALL),
              static_cast<ssize_t>(request.body_size));
    return request;
  }

  static std::string local(std::uint16_t port) { return "127.0.0.1:" + std::to_string(port); }

  ControlThread thread_{"probe-test"};
};

TEST_F(EndpointProbeTest, FindsAProviderThatAnswersAHeartbeat) {
  const LoopbackListener provider([](int peer) {
    std::vector<std::byte> answer;
    dubbo::append_heartbeat_response(read_heartbeat(peer), {}, answer);
    send(peer, answer.data(), answer.size(), MSG_NOSIGNAL);
  });
  EXPECT_EQ(probe(local(provider.port()), kLong), ProbeResult::kAnswers);
}

TEST_F(EndpointProbeTest, WaitsForAnAnswerThatComesInPieces) {
  const LoopbackListener provider([](int peer) {
    read_heartbeat(peer);
    std::vector<std::byte> frame;
    dubbo::append_readonly_event(1, frame);
    for (const std::byte byte : frame) send(peer, &byte, 1, MSG_NOSIGNAL);
  });
  EXPECT_EQ(probe(local(provider.port()), kLong), ProbeResult::kAnswers);
}

TEST_F(EndpointProbeTest, TellsWhichServicesAnAgentSaysAreDown) {
  const LoopbackListener agent([](int peer) {
    std::vector<std::byte> frames;
    dubbo::append_readonly_event(1, frames);  // says nothing of services
    dubbo::append_down_answer(read_heartbeat(peer), {"a.C"}, frames);
    for (const std::byte byte : frames) send(peer, &byte, 1, MSG_NOSIGNAL);
  });
  const ProbeReport report = ask(local(agent.port()), kLong, {"a.B", "a.C"});
  EXPECT_EQ(report.result, ProbeResult::kAnswers);
  EXPECT_THAT(report.down, testing::ElementsAre("a.C"));
}

TEST_F(EndpointProbeTest, TakesServicesForUpWhereNobodySaysThatTheyAreDown) {
  const LoopbackListener older([](int peer) {
    std::vector<std::byte> frame;
    dubbo::append_heartbeat_response(read_heartbeat(peer), dubbo::as_bytes("N"), frame);
    send(peer, frame.data(), frame.size(), MSG_NOSIGNAL);
  });
  const LoopbackListener half([](int peer) {
    std::vector<std::byte> frame;
    dubbo::append_down_answer(read_heartbeat(peer), {"a.C"}, frame);
    send(peer, frame.data(), frame.size() - 1, MSG_NOSIGNAL);
  });
  for (const std::uint16_t port : {older.port(), half.port()}) {
    const ProbeReport report = ask(local(port), kLong, {"a.B", "a.C"});
    EXPECT_EQ(report.result, ProbeResult::kAnswers);
    EXPECT_THAT(report.down, testing::IsEmpty());
  }
}

TEST_F(EndpointProbeTest, FindsAPortWithNobodyBehindItGone) {
  EXPECT_EQ(probe(local(LoopbackListener::unused_port()), kLong), ProbeResult::kGone);
}

TEST_F(EndpointProbeTest, FindsAPortWithAnotherProtocolGone) {
  const LoopbackListener web([](int peer) {
    read_heartbeat(peer);
    send(peer, "HTTP/1.1 400 \r\n", 15, MSG_NOSIGNAL);
  });
  EXPECT_EQ(probe(local(web.port()), kLong), ProbeResult::kGone);
}

TEST_F(EndpointProbeTest, FindsAProviderSilentThatNeverAnswers) {
  const std::uint16_t port = LoopbackListener::unused_port();
  const SilentListener listener(port);
  EXPECT_EQ(probe(local(port), kShort), ProbeResult::kSilent);
}

TEST_F(EndpointProbeTest, FindsAProviderSilentThatClosesTheConnection) {
  const LoopbackListener closing([](int) {});
  EXPECT_EQ(probe(local(closing.port()), kLong), ProbeResult::kSilent);
}

TEST_F(EndpointProbeTest, FindsAProviderSilentThatSendsHalfAFrame) {
  const LoopbackListener half([](int peer) {
    send(peer, "\xda\xbb\x22", 3, MSG_NOSIGNAL);
    std::byte more{};
    while (recv(peer, &more, 1, 0) > 0) {
    }
  });
  EXPECT_EQ(probe(local(half.port()), kShort), ProbeResult::kSilent);
}

TEST_F(EndpointProbeTest, SaysSoWhereItCannotEvenTry) {
  EXPECT_EQ(probe("provider.example.com:20880", kLong), ProbeResult::kUnknown);
  EXPECT_EQ(probe("127.0.0.1", kLong), ProbeResult::kUnknown);
}

TEST_F(EndpointProbeTest, AsksManyAtATime) {
  constexpr int kProbes = 200;
  const std::uint16_t port = LoopbackListener::unused_port();
  const SilentListener silent(port);
  const std::string gone = local(LoopbackListener::unused_port());
  std::mutex mutex;
  std::condition_variable changed;
  std::array<int, 4> found{};
  EndpointProbe prober(thread_, kShort);
  for (int i = 0; i < kProbes; ++i) {
    prober.probe(i % 2 == 0 ? local(port) : gone, {}, [&](const ProbeReport& report) {
      const std::lock_guard lock(mutex);
      ++found[static_cast<std::size_t>(report.result)];
      changed.notify_one();
    });
  }
  std::unique_lock lock(mutex);
  const auto count = [&](ProbeResult result) { return found[static_cast<std::size_t>(result)]; };
  EXPECT_TRUE(changed.wait_for(lock, std::chrono::seconds(30), [&] {
    return count(ProbeResult::kSilent) + count(ProbeResult::kGone) == kProbes;
  }));
  EXPECT_EQ(count(ProbeResult::kGone), kProbes / 2);
}

TEST_F(EndpointProbeTest, EndsInTheMiddleOfAProbe) {
  const std::uint16_t port = LoopbackListener::unused_port();
  const SilentListener listener(port);
  EndpointProbe prober(thread_, kLong);
  prober.probe(local(port), {},
               [](const ProbeReport&) { FAIL() << "nobody wants to know any more"; });
}

}  // namespace
}  // namespace skiff::registry
