#include "registry/application/metadata_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <future>
#include <memory>
#include <string>

#include "dubbo/response.h"
#include "registry/control_thread.h"
#include "support/loopback_listener.h"
#include "support/metadata_answers.h"

namespace skiff::registry {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

class MetadataClientTest : public testing::Test {
 protected:
  ~MetadataClientTest() override {
    std::promise<void> gone;
    thread_.post([&] {
      client_.reset();
      gone.set_value();
    });
    gone.get_future().wait();
    thread_.stop();
  }

  std::future<Result<MetadataInfo>> begin(const std::string& address) {
    auto result = std::make_shared<std::promise<Result<MetadataInfo>>>();
    thread_.post([this, address, result] {
      client_->call({.address = address, .application = "shop", .version = "1", .revision = "r"},
                    [result](Result<MetadataInfo> info) { result->set_value(std::move(info)); });
    });
    return result->get_future();
  }

  Result<MetadataInfo> call(std::uint16_t port) {
    return begin("127.0.0.1:" + std::to_string(port)).get();
  }

  void limit(milliseconds time) { client_ = std::make_unique<MetadataClient>(thread_, time); }

  ControlThread thread_{"client-test"};
  std::unique_ptr<MetadataClient> client_ =
      std::make_unique<MetadataClient>(thread_, std::chrono::seconds(30));
};

// Waits for the request, writes `answer` in two pieces, and waits until the other side closes.
LoopbackListener::Serve answering(const std::string& answer) {
  return [answer](int peer) {
    std::array<char, 4096> request{};
    if (recv(peer, request.data(), request.size(), 0) <= 0) return;
    const std::size_t half = answer.size() / 2;
    send(peer, answer.data(), half, MSG_NOSIGNAL);
    send(peer, answer.data() + half, answer.size() - half, MSG_NOSIGNAL);
    while (recv(peer, request.data(), request.size(), 0) > 0) {
    }
  };
}

std::string heartbeat() {
  std::vector<std::byte> frame;
  dubbo::append_heartbeat_request(1, frame);
  return std::string(dubbo::as_text(frame));
}

TEST_F(MetadataClientTest, ReadsTheAnswerBehindWhatElseIsSaid) {
  const LoopbackListener provider(
      answering(heartbeat() + answer_frame(99, "\x92") +
                answer_frame(1, "\x91" + hessian_metadata("r", {"com.a"}, 20880))));
  const auto info = call(provider.port());
  ASSERT_TRUE(info) << info.error().message;
  EXPECT_EQ(info->services_of("com.a").size(), 1U);
}

TEST_F(MetadataClientTest, SaysWhoRefused) {
  const std::uint16_t port = LoopbackListener::unused_port();
  EXPECT_THAT(call(port).error().message, HasSubstr("127.0.0.1:" + std::to_string(port)));
  EXPECT_FALSE(begin("provider.example:20880").get()) << "a name";
  EXPECT_FALSE(begin("127.0.0.1").get()) << "no port";
}

TEST_F(MetadataClientTest, GivesUpWhoDoesNotAnswerInTime) {
  limit(milliseconds(50));
  const LoopbackListener provider(answering(""));
  EXPECT_THAT(call(provider.port()).error().message, HasSubstr("no answer in time"));
}

TEST_F(MetadataClientTest, GivesUpWhoSaysOtherThingsForEver) {
  limit(milliseconds(100));
  const LoopbackListener provider([](int peer) {
    std::string many;
    for (int i = 0; i < 1'000; ++i) many += heartbeat();
    while (send(peer, many.data(), many.size(), MSG_NOSIGNAL) > 0) {
    }
  });
  EXPECT_THAT(call(provider.port()).error().message, HasSubstr("no answer in time"));
}

TEST_F(MetadataClientTest, GivesUpWhoClosesOrSpeaksAnotherProtocolOrSendsTooMuch) {
  {
    const LoopbackListener provider([](int peer) {
      std::array<char, 4096> request{};
      static_cast<void>(recv(peer, request.data(), request.size(), 0));
    });
    EXPECT_THAT(call(provider.port()).error().message, HasSubstr("closed"));
  }
  {
    const LoopbackListener provider(answering("HTTP/1.1 400 Bad Request\r\n\r\n"));
    EXPECT_EQ(call(provider.port()).error().code, ErrorCode::kMalformed);
  }
  {
    std::string frame = answer_frame(1, "\x91");
    frame[12] = '\x7f';  // the size of the body
    const LoopbackListener provider(answering(frame));
    EXPECT_EQ(call(provider.port()).error().code, ErrorCode::kTooLarge);
  }
}

TEST_F(MetadataClientTest, MakesAsManyCallsAsAreAskedForALimitedNumberAtATime) {
  limit(milliseconds(100));
  const LoopbackListener silent(answering(""));  // the others wait in the kernel's queue
  std::vector<std::future<Result<MetadataInfo>>> calls;
  for (std::size_t i = 0; i < 2 * kMaxMetadataCallsUnderWay; ++i) {
    calls.push_back(begin("127.0.0.1:" + std::to_string(silent.port())));
  }
  for (auto& each : calls) EXPECT_FALSE(each.get());
}

TEST_F(MetadataClientTest, EndsWithCallsUnderWay) {
  const LoopbackListener silent(answering(""));
  auto never = begin("127.0.0.1:" + std::to_string(silent.port()));
  EXPECT_EQ(never.wait_for(milliseconds(0)), std::future_status::timeout);
}

}  // namespace
}  // namespace skiff::registry
