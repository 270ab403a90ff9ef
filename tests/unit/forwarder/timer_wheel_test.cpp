#include "forwarder/timer_wheel.h"

#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <string>
#include <vector>

namespace skiff::forwarder {
namespace {

using std::chrono::milliseconds;

struct Probe {
  Timer timer{[](void* self) { ++static_cast<Probe*>(self)->fired; }, this};
  int fired = 0;
};

class TimerWheelTest : public testing::Test {
 protected:
  void advance(milliseconds by) {
    now_ += by;
    wheel_.expire(now_);
  }

  TimePoint now_{};
  TimerWheel wheel_{now_};
};

TEST_F(TimerWheelTest, FiresOnceNeverEarlyAndWithinTwoTicks) {
  Probe probe;
  wheel_.arm(probe.timer, now_, milliseconds(100));
  advance(milliseconds(99));
  EXPECT_EQ(probe.fired, 0);
  advance(2 * TimerWheel::kTick + milliseconds(1));
  EXPECT_EQ(probe.fired, 1);
  EXPECT_FALSE(probe.timer.armed());
  advance(std::chrono::minutes(5));
  EXPECT_EQ(probe.fired, 1);
}

TEST_F(TimerWheelTest, WaitsThroughSeveralTurnsOfTheWheel) {
  Probe probe;
  wheel_.arm(probe.timer, now_, std::chrono::minutes(3));
  for (int second = 0; second < 179; ++second) advance(milliseconds(1000));
  EXPECT_EQ(probe.fired, 0);
  advance(milliseconds(1100));
  EXPECT_EQ(probe.fired, 1);
}

TEST_F(TimerWheelTest, ForgetsACancelledAndADestroyedTimer) {
  Probe cancelled;
  auto destroyed = std::make_unique<Probe>();
  wheel_.arm(cancelled.timer, now_, milliseconds(10));
  wheel_.arm(destroyed->timer, now_, milliseconds(10));
  cancelled.timer.cancel();
  destroyed.reset();
  EXPECT_EQ(wheel_.sleep_ms(now_), -1);
  advance(milliseconds(100));
  EXPECT_EQ(cancelled.fired, 0);
}

TEST_F(TimerWheelTest, MovesATimerThatIsArmedAgain) {
  Probe probe;
  wheel_.arm(probe.timer, now_, milliseconds(10));
  wheel_.arm(probe.timer, now_, milliseconds(1000));
  advance(milliseconds(900));
  EXPECT_EQ(probe.fired, 0);
  advance(milliseconds(200));
  EXPECT_EQ(probe.fired, 1);
}

TEST_F(TimerWheelTest, LetsACallbackCancelItsNeighbourAndArmItself) {
  struct Pair {
    Timer first{[](void* self) {
                  auto* pair = static_cast<Pair*>(self);
                  ++pair->fired;
                  pair->second.cancel();
                  if (pair->fired < 3) pair->wheel->arm(pair->first, *pair->now, milliseconds(0));
                },
                this};
    Timer second{[](void* self) { static_cast<Pair*>(self)->second_fired = true; }, this};
    TimerWheel* wheel = nullptr;
    TimePoint* now = nullptr;
    int fired = 0;
    bool second_fired = false;
  };
  Pair pair;
  pair.wheel = &wheel_;
  pair.now = &now_;
  wheel_.arm(pair.first, now_, milliseconds(20));
  wheel_.arm(pair.second, now_, milliseconds(20));
  advance(milliseconds(30));
  EXPECT_EQ(pair.fired, 1);
  EXPECT_FALSE(pair.second_fired);
  advance(milliseconds(30));
  advance(milliseconds(30));
  EXPECT_EQ(pair.fired, 3);
}

TEST_F(TimerWheelTest, TellsHowLongOneMaySleep) {
  EXPECT_EQ(wheel_.sleep_ms(now_), -1);
  Probe probe;
  wheel_.arm(probe.timer, now_, milliseconds(100));
  const int sleep = wheel_.sleep_ms(now_);
  EXPECT_GE(sleep, 100);
  EXPECT_LE(sleep, 100 + 2 * TimerWheel::kTick.count());
  advance(milliseconds(sleep));
  EXPECT_EQ(probe.fired, 1);
}

TEST_F(TimerWheelTest, FiresEveryTimerOfARandomCrowdInItsTime) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  struct Dated : Probe {
    TimePoint due;
  };
  std::vector<std::unique_ptr<Dated>> crowd;
  for (int i = 0; i < 3000; ++i) {
    auto& dated = crowd.emplace_back(std::make_unique<Dated>());
    const milliseconds delay(random() % 40'000);
    dated->due = now_ + delay;
    wheel_.arm(dated->timer, now_, delay);
  }
  while (now_ < TimePoint{} + std::chrono::seconds(41)) {
    advance(milliseconds(random() % 50));
    for (const auto& dated : crowd) {
      const bool early = now_ < dated->due;
      const bool late = now_ >= dated->due + 2 * TimerWheel::kTick;
      ASSERT_GE(dated->fired, late ? 1 : 0);
      ASSERT_LE(dated->fired, early ? 0 : 1);
    }
  }
}

}  // namespace
}  // namespace skiff::forwarder
