#include "agent/control_client.h"

#include <gtest/gtest.h>

#include <thread>

#include "registry/control_thread.h"
#include "support/fake_control_plane.h"

namespace skiff::agent {
namespace {

using namespace std::chrono_literals;

TEST(ControlClient, AsksOnTheControlThread) {
  FakeControlPlane plane;
  registry::ControlThread thread("test-control");
  ControlClient client(thread, plane);
  const auto is_there = client.ask(
      [&](registry::ControlPlane& asked) { return &asked == &plane && thread.is_current(); });
  EXPECT_EQ(is_there, true);
}

TEST(ControlClient, GivesUpAfterTheLimitAndDropsTheLateAnswer) {
  FakeControlPlane plane;
  std::function<void(int)> answer_later;  // outlives the thread that uses it
  registry::ControlThread thread("test-control");
  ControlClient client(thread, plane);
  const auto answer = client.wait_for<int>(
      20ms, [&](registry::ControlPlane&, auto done) { answer_later = std::move(done); });
  EXPECT_FALSE(answer);
  EXPECT_EQ(client.ask([&](registry::ControlPlane&) {
    answer_later(1);
    return true;
  }),
            true);
}

TEST(ControlClient, NoticesAtOnceThatNobodyWillAnswer) {
  FakeControlPlane plane;
  registry::ControlThread thread("test-control");
  thread.stop();
  ControlClient client(thread, plane);
  const auto start = std::chrono::steady_clock::now();
  EXPECT_FALSE(client.wait_for<int>(60s, [](registry::ControlPlane&, auto done) { done(1); }));
  EXPECT_LT(std::chrono::steady_clock::now() - start, 30s);
}

TEST(ControlClient, NoticesThatTheAnswerIsDroppedWhileItWaits) {
  FakeControlPlane plane;
  std::function<void(int)> dropped;  // outlives the thread that uses it
  registry::ControlThread thread("test-control");
  ControlClient client(thread, plane);
  const auto start = std::chrono::steady_clock::now();
  thread.post_after(20ms, [&] { dropped = nullptr; });
  EXPECT_FALSE(client.wait_for<int>(
      60s, [&](registry::ControlPlane&, auto done) { dropped = std::move(done); }));
  EXPECT_LT(std::chrono::steady_clock::now() - start, 30s);
}

}  // namespace
}  // namespace skiff::agent
