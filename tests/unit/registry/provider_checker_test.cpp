#include "registry/provider_checker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>

#include "dubbo/frame.h"
#include "dubbo/response.h"
#include "registry/control_thread.h"
#include "support/scripted_listener.h"

namespace skiff::registry {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;
using Outcome = CheckResult::Outcome;

constexpr seconds kDeadline{10};

class ProviderCheckerTest : public testing::Test, private CheckEvents {
 protected:
  ProviderCheckerTest() : thread_("test-control") {
    auto checker = socket_checker("127.0.0.1")(thread_, *this);
    if (!checker) throw std::runtime_error(checker.error().message);
    checker_ = std::move(*checker);
  }
  ~ProviderCheckerTest() override { thread_.stop(); }

  static CheckTarget target(std::uint16_t port, HealthCheck::Type type = HealthCheck::Type::kDubbo,
                            milliseconds interval = milliseconds(50),
                            milliseconds timeout = milliseconds(2000)) {
    return {.port = port, .type = type, .interval = interval, .timeout = timeout};
  }

  // The next result; the test fails where none comes.
  CheckResult next() {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(changed_.wait_for(lock, kDeadline, [this] { return !results_.empty(); }));
    if (results_.empty()) return {};
    CheckResult result = std::move(results_.front());
    results_.erase(results_.begin());
    return result;
  }
  // The first result with this outcome.
  CheckResult next(Outcome outcome) {
    CheckResult result = next();
    while (result.outcome != outcome && !result.error.empty()) result = next();
    return result;
  }

  void expect_failure(const CheckTarget& what, const std::string& error) {
    checker_->watch(what);
    const CheckResult result = next();
    EXPECT_EQ(result.outcome, Outcome::kFailed);
    EXPECT_EQ(result.target, what);
    EXPECT_THAT(result.error, HasSubstr(error));
  }

  ControlThread thread_;
  std::unique_ptr<ProviderChecker> checker_;

 private:
  void on_check_results(const std::vector<CheckResult>& results) override {
    const std::lock_guard lock(mutex_);
    results_.insert(results_.end(), results.begin(), results.end());
    changed_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<CheckResult> results_;  // guarded by mutex_
};

std::string heartbeat_answer(const std::string& request) {
  std::vector<std::byte> answer;
  const dubbo::Bytes bytes = dubbo::as_bytes(request);
  dubbo::append_heartbeat_response(dubbo::header_of(bytes),
                                   bytes.subspan(dubbo::FrameHeader::kSize), answer);
  return std::string(dubbo::as_text(answer));
}

constexpr std::size_t kHeartbeatBytes = 17;

TEST_F(ProviderCheckerTest, PassesWhereAHeartbeatIsAnsweredAndKeepsItsConnection) {
  ScriptedListener provider([](ScriptedListener::Connection& connection) {
    while (true) {
      const std::string request = connection.read(kHeartbeatBytes);
      if (request.empty()) return;
      connection.write(heartbeat_answer(request));
    }
  });
  checker_->watch(target(provider.port()));
  for (int i = 0; i < 5; ++i) EXPECT_EQ(next().outcome, Outcome::kPassed);
  EXPECT_EQ(provider.connections(), 1);
}

TEST_F(ProviderCheckerTest, TakesAnAnswerInSingleBytes) {
  ScriptedListener provider([](ScriptedListener::Connection& connection) {
    for (const char byte : heartbeat_answer(connection.read(kHeartbeatBytes))) {
      connection.write(std::string(1, byte));
    }
    connection.read(1);
  });
  checker_->watch(target(provider.port()));
  EXPECT_EQ(next().outcome, Outcome::kPassed);
}

TEST_F(ProviderCheckerTest, FailsWhereNobodyListens) {
  std::uint16_t port = 0;
  {
    const ScriptedListener gone([](ScriptedListener::Connection&) {});
    port = gone.port();
  }
  expect_failure(target(port), "cannot be connected to: Connection refused");
}

TEST_F(ProviderCheckerTest, PassesOnceSomebodyListensAgain) {
  const ScriptedListener::Script script = [](ScriptedListener::Connection& connection) {
    connection.write(heartbeat_answer(connection.read(kHeartbeatBytes)));
    connection.read(1);
  };
  std::uint16_t port = 0;
  {
    const ScriptedListener gone(script);
    port = gone.port();
  }
  expect_failure(target(port), "refused");
  const ScriptedListener back(script, port);
  EXPECT_EQ(next(Outcome::kPassed).outcome, Outcome::kPassed);
}

TEST_F(ProviderCheckerTest, FailsWhereAnOpenPortNeverAnswers) {
  const ScriptedListener provider(
      [](ScriptedListener::Connection& connection) { connection.read(1000); });
  expect_failure(
      target(provider.port(), HealthCheck::Type::kDubbo, milliseconds(50), milliseconds(30)),
      "answered no heartbeat within 30 ms");
}

TEST_F(ProviderCheckerTest, FailsWhereTheConnectionIsClosedAtOnce) {
  const ScriptedListener provider([](ScriptedListener::Connection&) {});
  expect_failure(target(provider.port()), "closed the connection of its check");
}

TEST_F(ProviderCheckerTest, FailsOverGarbageAndSaysWhatItLooksLike) {
  const ScriptedListener provider([](ScriptedListener::Connection& connection) {
    connection.write("Welcome to something else\r\n");
    connection.read(1000);
  });
  expect_failure(target(provider.port()), "does not speak Dubbo: it sent telnet text");
}

TEST_F(ProviderCheckerTest, FailsOverHalfAFrame) {
  const ScriptedListener provider([](ScriptedListener::Connection& connection) {
    const std::string answer = heartbeat_answer(connection.read(kHeartbeatBytes));
    connection.write(answer.substr(0, answer.size() - 1));
    connection.read(1000);
  });
  expect_failure(
      target(provider.port(), HealthCheck::Type::kDubbo, milliseconds(50), milliseconds(30)),
      "answered no heartbeat");
}

TEST_F(ProviderCheckerTest, FailsOverAFrameThatPromisesTooMuch) {
  const ScriptedListener provider([](ScriptedListener::Connection& connection) {
    connection.write(std::string("\xda\xbb\x22\x14\0\0\0\0\0\0\0\1\x7f\xff\xff\xff", 16));
    connection.read(1000);
  });
  expect_failure(target(provider.port()), "sent a frame of 2147483647 bytes");
}

TEST_F(ProviderCheckerTest, FailsOverInputWithoutEnd) {
  const ScriptedListener provider([](ScriptedListener::Connection& connection) {
    // Answers that are no events.
    const std::string frame("\xda\xbb\x02\x14\0\0\0\0\0\0\0\1\0\0\0\1N", 17);
    while (connection.write(frame)) {
    }
  });
  expect_failure(target(provider.port()), "sends without end");
}

TEST_F(ProviderCheckerTest, AnswersTheProvidersOwnHeartbeats) {
  std::promise<std::string> answered;
  const ScriptedListener provider([&answered](ScriptedListener::Connection& connection) {
    const std::string request = connection.read(kHeartbeatBytes);
    connection.write(request);  // a heartbeat of its own looks the same
    const std::string answer = connection.read(kHeartbeatBytes);
    connection.write(heartbeat_answer(request));
    answered.set_value(answer);
    connection.read(1000);
  });
  checker_->watch(target(provider.port()));
  EXPECT_EQ(next().outcome, Outcome::kPassed);
  const std::string answer = answered.get_future().get();
  ASSERT_EQ(answer.size(), kHeartbeatBytes);
  const auto header = dubbo::header_of(dubbo::as_bytes(answer));
  EXPECT_TRUE(header.is_event && !header.is_request);
}

TEST_F(ProviderCheckerTest, AsksSoonWhereAConnectionThatAnsweredIsLost) {
  const ScriptedListener provider([](ScriptedListener::Connection& connection) {
    connection.write(heartbeat_answer(connection.read(kHeartbeatBytes)));
  });
  // A quarter of the interval must be over.
  checker_->watch(target(provider.port(), HealthCheck::Type::kDubbo, seconds(2)));
  const auto first = next();
  const auto second = next();
  EXPECT_EQ(second.outcome, Outcome::kPassed);
  EXPECT_GE(second.at - first.at, milliseconds(400));
  EXPECT_LT(second.at - first.at, seconds(2));
}

TEST_F(ProviderCheckerTest, ChecksAtOnceWhereItIsAskedAgain) {
  const ScriptedListener provider([](ScriptedListener::Connection&) {});
  const CheckTarget rare = target(provider.port(), HealthCheck::Type::kTcp, std::chrono::hours(1));
  checker_->watch(rare);
  EXPECT_EQ(next().outcome, Outcome::kPassed);
  checker_->watch(rare);
  EXPECT_EQ(next().outcome, Outcome::kPassed);
}

TEST_F(ProviderCheckerTest, OnlyConnectsForATcpCheck) {
  const ScriptedListener provider([](ScriptedListener::Connection& connection) {
    EXPECT_EQ(connection.read(1), "") << "it was sent something";
  });
  checker_->watch(target(provider.port(), HealthCheck::Type::kTcp));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(next().outcome, Outcome::kPassed);
  EXPECT_GE(provider.connections(), 2);
}

TEST_F(ProviderCheckerTest, ClosesItsConnectionWhenNobodyAsksAnyMore) {
  std::promise<void> closed;
  const ScriptedListener provider([&closed](ScriptedListener::Connection& connection) {
    connection.write(heartbeat_answer(connection.read(kHeartbeatBytes)));
    while (!connection.read(1).empty()) {
    }
    closed.set_value();
  });
  const CheckTarget watched =
      target(provider.port(), HealthCheck::Type::kDubbo, std::chrono::hours(1));
  checker_->watch(watched);
  EXPECT_EQ(next().outcome, Outcome::kPassed);
  checker_->unwatch(watched);
  EXPECT_EQ(closed.get_future().wait_for(kDeadline), std::future_status::ready);
}

TEST(SocketChecker, RefusesAHostName) {
  class Nobody final : public CheckEvents {
    void on_check_results(const std::vector<CheckResult>& /*results*/) override {}
  } nobody;
  ControlThread thread("test-control");
  const auto checker = socket_checker("localhost")(thread, nobody);
  ASSERT_FALSE(checker);
  EXPECT_EQ(checker.error().code, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace skiff::registry
