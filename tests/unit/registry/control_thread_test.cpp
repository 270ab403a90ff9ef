#include "registry/control_thread.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <thread>
#include <vector>

namespace skiff::registry {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;

// Runs what was posted before, and what was due.
void wait_for(ControlThread& thread) {
  std::promise<void> done;
  thread.post([&done] { done.set_value(); });
  done.get_future().wait();
}

TEST(ControlThread, RunsTasksInOrderOnItsOwnThread) {
  ControlThread thread("test");
  std::vector<int> order;
  bool was_current = false;
  for (int i = 0; i < 3; ++i) {
    thread.post([&, i] {
      order.push_back(i);
      was_current = thread.is_current();
    });
  }
  wait_for(thread);
  EXPECT_THAT(order, ElementsAre(0, 1, 2));
  EXPECT_TRUE(was_current);
  EXPECT_FALSE(thread.is_current());
}

TEST(ControlThread, RunsTimersWhenTheyAreDueAndInThatOrder) {
  ControlThread thread("test");
  std::vector<int> order;
  std::promise<void> done;
  const auto start = std::chrono::steady_clock::now();
  thread.post_after(milliseconds(40), [&] {
    order.push_back(2);
    done.set_value();
  });
  thread.post_after(milliseconds(20), [&order] { order.push_back(1); });
  thread.post_after(milliseconds(0), [&order] { order.push_back(0); });
  done.get_future().wait();
  EXPECT_GE(std::chrono::steady_clock::now() - start, milliseconds(40));
  EXPECT_THAT(order, ElementsAre(0, 1, 2));
}

TEST(ControlThread, TakesTasksFromItself) {
  ControlThread thread("test");
  std::promise<void> done;
  thread.post(
      [&] { thread.post([&] { thread.post_after(milliseconds(1), [&] { done.set_value(); }); }); });
  done.get_future().wait();
}

TEST(ControlThread, TakesTasksFromManyThreads) {
  ControlThread thread("test");
  constexpr int kThreads = 8;
  constexpr int kTasks = 1000;
  int ran = 0;
  {
    std::vector<std::thread> posters;
    posters.reserve(kThreads);
    for (int i = 0; i < kThreads; ++i) {
      posters.emplace_back([&] {
        for (int task = 0; task < kTasks; ++task) thread.post([&ran] { ++ran; });
      });
    }
    for (std::thread& poster : posters) poster.join();
  }
  wait_for(thread);
  EXPECT_EQ(ran, kThreads * kTasks);
  EXPECT_EQ(thread.dropped(), 0U);
}

TEST(ControlThread, DropsAndCountsWhatIsOverItsLimit) {
  constexpr std::size_t kLimit = 10;
  ControlThread thread("test", kLimit);
  std::promise<void> entered;
  std::promise<void> release;
  thread.post([&] {
    entered.set_value();
    release.get_future().wait();
  });
  entered.get_future().wait();
  std::atomic<int> ran = 0;
  for (std::size_t i = 0; i < kLimit + 5; ++i) thread.post([&ran] { ++ran; });
  EXPECT_EQ(thread.dropped(), 5U);
  release.set_value();
  while (ran != static_cast<int>(kLimit)) std::this_thread::yield();
  wait_for(thread);
  EXPECT_EQ(thread.dropped(), 5U);
}

TEST(ControlThread, DropsWhatIsLeftWhenItStops) {
  ControlThread thread("test");
  auto owned = std::make_shared<int>(1);
  bool ran = false;
  thread.post_after(std::chrono::hours(1), [&ran, owned] { ran = true; });
  thread.stop();
  thread.stop();
  thread.post([&ran] { ran = true; });
  thread.post_after(milliseconds(1), [&ran] { ran = true; });
  EXPECT_FALSE(ran);
  EXPECT_EQ(owned.use_count(), 1) << "the task is gone";
}

}  // namespace
}  // namespace skiff::registry
