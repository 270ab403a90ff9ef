#include "forwarder/outbound/endpoint_health.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "forwarder/limits.h"

namespace skiff::forwarder {
namespace {

using std::chrono::milliseconds;
using State = EndpointHealth::State;

class EndpointHealthTest : public testing::Test {
 protected:
  void fail_until_ejected() {
    for (int i = 1; i < limits::kFailuresToEject; ++i) {
      EXPECT_FALSE(health_.note_failure(now_, "no answer"));
      EXPECT_TRUE(health_.admits(now_));
    }
    EXPECT_TRUE(health_.note_failure(now_, "no answer"));
  }

  TimePoint now_ = Clock::now();
  EndpointHealth health_;
};

TEST_F(EndpointHealthTest, EjectsAfterSoManyFailuresInARow) {
  fail_until_ejected();
  EXPECT_EQ(health_.state(), State::kFailing);
  EXPECT_EQ(health_.last_error(), "no answer");
  EXPECT_FALSE(health_.admits(now_));
  EXPECT_TRUE(health_.admits(now_ + limits::kFailingPause.min));
}

TEST_F(EndpointHealthTest, CountsFailuresInARowOnly) {
  for (int i = 0; i < 10 * limits::kFailuresToEject; ++i) {
    EXPECT_FALSE(health_.note_failure(now_, "no answer"));
    health_.note_answer();
  }
  EXPECT_EQ(health_.state(), State::kAdmitted);
}

TEST_F(EndpointHealthTest, LetsOneProbeThroughAtATime) {
  fail_until_ejected();
  now_ += limits::kFailingPause.min;
  ASSERT_TRUE(health_.admits(now_));
  health_.note_sent(now_);
  EXPECT_FALSE(health_.admits(now_ + limits::kProbeTime - milliseconds(1)));
  EXPECT_TRUE(health_.admits(now_ + limits::kProbeTime)) << "the probe was a one-way request, say";
}

TEST_F(EndpointHealthTest, AdmitsAgainWhenAProbeIsAnswered) {
  fail_until_ejected();
  now_ += limits::kFailingPause.min;
  health_.note_sent(now_);
  health_.note_answer();
  EXPECT_EQ(health_.state(), State::kAdmitted);
  EXPECT_TRUE(health_.admits(now_));
  EXPECT_EQ(health_.last_error(), "");
}

TEST_F(EndpointHealthTest, DoublesThePauseWithEveryFailedProbeUpToTheMaximum) {
  fail_until_ejected();
  milliseconds pause = limits::kFailingPause.min;
  for (int i = 0; i < 10; ++i) {
    now_ += pause;
    health_.note_sent(now_);
    EXPECT_FALSE(health_.note_failure(now_, "still no answer")) << "ejected already";
    pause = std::min(2 * pause, limits::kFailingPause.max);
    EXPECT_FALSE(health_.admits(now_ + pause - milliseconds(1))) << i;
    EXPECT_TRUE(health_.admits(now_ + pause)) << i;
  }
}

TEST_F(EndpointHealthTest, IsNotKeptOutLongerByWhatWasOnItsWayAlready) {
  fail_until_ejected();
  for (int i = 0; i < 100; ++i) health_.note_failure(now_ + milliseconds(500), "no answer");
  EXPECT_TRUE(health_.admits(now_ + limits::kFailingPause.min));
}

TEST_F(EndpointHealthTest, EjectsAtOnceWhatCannotBeConnectedTo) {
  EXPECT_TRUE(health_.note_unreachable(now_, "connection refused"));
  EXPECT_EQ(health_.state(), State::kUnreachable);
  EXPECT_FALSE(health_.admits(now_));
  health_.note_sent(now_ += limits::kUnreachablePause.min);
  health_.note_reachable();
  EXPECT_TRUE(health_.admits(now_));
}

TEST_F(EndpointHealthTest, DoesNotTakeAConnectionForAnAnswer) {
  fail_until_ejected();
  health_.note_reachable();
  EXPECT_EQ(health_.state(), State::kFailing);
  EXPECT_FALSE(health_.admits(now_));
}

}  // namespace
}  // namespace skiff::forwarder
