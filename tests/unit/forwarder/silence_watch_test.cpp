#include "forwarder/silence_watch.h"

#include <gtest/gtest.h>

namespace skiff::forwarder {
namespace {

using std::chrono::milliseconds;
using Step = SilenceWatch::Step;

constexpr milliseconds kInterval{100};

TEST(SilenceWatch, WaitsForTheRestOfTheIntervalAfterASignOfLife) {
  SilenceWatch watch(kInterval);
  const TimePoint start = Clock::now();
  const auto decision = watch.check(start + milliseconds(100), start + milliseconds(30));
  EXPECT_EQ(decision.step, Step::kWait);
  EXPECT_EQ(decision.next_look, milliseconds(30));
}

TEST(SilenceWatch, AsksAfterAnIntervalOfSilence) {
  SilenceWatch watch(kInterval);
  const TimePoint start = Clock::now();
  EXPECT_EQ(watch.check(start + kInterval, start).step, Step::kAsk);
}

TEST(SilenceWatch, GivesUpAfterAsManyUnansweredHeartbeatsAsTheLimit) {
  SilenceWatch watch(kInterval);
  const TimePoint start = Clock::now();
  TimePoint now = start;
  for (int i = 0; i < limits::kSilentHeartbeatsMax; ++i) {
    now += kInterval;
    EXPECT_EQ(watch.check(now, start).step, Step::kAsk) << i;
  }
  EXPECT_EQ(watch.check(now + kInterval, start).step, Step::kGiveUp);
}

// A timer fires a little late, so that a prompt answer is a whole interval old at the next look.
TEST(SilenceWatch, KeepsAPeerThatAnswersAtOnceHoweverLateItLooks) {
  SilenceWatch watch(kInterval);
  TimePoint last_read = Clock::now();
  TimePoint now = last_read;
  for (int i = 0; i < 10 * limits::kSilentHeartbeatsMax; ++i) {
    now += kInterval + milliseconds(4);
    ASSERT_EQ(watch.check(now, last_read).step, Step::kAsk) << i;
    last_read = now + std::chrono::microseconds(200);
  }
}

}  // namespace
}  // namespace skiff::forwarder
