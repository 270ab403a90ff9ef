#include "registry/provider_health.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "registry/limits.h"

namespace skiff::registry {
namespace {

using std::chrono::seconds;
using testing::HasSubstr;
using testing::IsEmpty;

class ProviderHealthTest : public testing::Test {
 protected:
  void pass(seconds later = seconds(2)) { health_.on_success(now_ += later); }
  void fail(const std::string& error = "refused") { health_.on_failure(now_ += seconds(2), error); }
  void go_down() {
    for (int i = 0; i < 3; ++i) fail();
    EXPECT_EQ(health_.state(), HealthState::kDown);
  }
  // How long it has to pass its checks, two seconds apart, until it is up; from down.
  seconds time_to_recover() {
    pass();
    const auto began = now_;
    while (health_.state() != HealthState::kUp) pass();
    return std::chrono::duration_cast<seconds>(now_ - began);
  }

  ProviderHealth::TimePoint now_{seconds(1000)};
  ProviderHealth health_{HealthCheck{}};
};

TEST_F(ProviderHealthTest, IsUpAfterTheFirstCheckThatPasses) {
  EXPECT_EQ(health_.state(), HealthState::kStarting);
  EXPECT_EQ(health_.obstacle(), "has not been checked yet");
  pass();
  EXPECT_EQ(health_.state(), HealthState::kUp);
  EXPECT_THAT(health_.obstacle(), IsEmpty());
}

TEST_F(ProviderHealthTest, SaysWhatItWaitsForWhileThePortIsNotOpen) {
  fail("cannot be connected to: Connection refused");
  EXPECT_EQ(health_.state(), HealthState::kStarting);
  EXPECT_EQ(health_.obstacle(), "is not ready yet: cannot be connected to: Connection refused");
  fail();
  fail();
  EXPECT_EQ(health_.state(), HealthState::kDown);
  EXPECT_EQ(health_.obstacle(), "is not ready yet: refused");
  pass();
  EXPECT_EQ(health_.state(), HealthState::kUp) << "it never was up: it is not held back";
}

TEST_F(ProviderHealthTest, GoesDownOnlyAfterEnoughFailuresInARow) {
  pass();
  for (int i = 0; i < 10; ++i) {
    fail();
    fail();
    EXPECT_EQ(health_.state(), HealthState::kUp);
    pass();
  }
  fail();
  fail();
  fail("closed");
  EXPECT_EQ(health_.state(), HealthState::kDown);
  EXPECT_EQ(health_.obstacle(), "is down: closed");
}

TEST_F(ProviderHealthTest, NeedsSoManySuccessesInARow) {
  health_ = ProviderHealth(HealthCheck{.failures = 1, .successes = 3});
  pass();
  pass();
  EXPECT_THAT(health_.obstacle(), HasSubstr("2 of the 3 checks"));
  fail();
  pass();
  pass();
  EXPECT_FALSE(health_.may_be_registered());
  pass();
  EXPECT_TRUE(health_.may_be_registered());
}

TEST_F(ProviderHealthTest, KeepsTheLastErrorWhenItIsUpAgain) {
  pass();
  fail("once");
  pass();
  EXPECT_EQ(health_.last_error(), "once");
}

TEST_F(ProviderHealthTest, LetsARestartPassWithoutDelay) {
  pass();
  go_down();
  EXPECT_EQ(time_to_recover(), seconds(0));
}

TEST_F(ProviderHealthTest, HoldsAFlappingProviderBackLongerAndLongerWithinBounds) {
  pass();
  std::vector<seconds> waits;
  for (int i = 0; i < 8; ++i) {
    go_down();
    waits.push_back(time_to_recover());
  }
  // Checks are two seconds apart.
  EXPECT_THAT(waits, testing::ElementsAre(seconds(0), seconds(6), seconds(10), seconds(20),
                                          seconds(40), seconds(60), seconds(60), seconds(60)));
}

TEST_F(ProviderHealthTest, SaysThatItIsHeldBackAndWhy) {
  pass();
  go_down();
  pass();
  go_down();
  pass();
  EXPECT_EQ(health_.state(), HealthState::kRecovering);
  EXPECT_EQ(health_.obstacle(),
            "went down 2 times, and has to pass its checks for 5 s before it is registered again");
  EXPECT_EQ(health_.recovers_at(), now_ + seconds(5));
  health_.on_time(now_ + seconds(4));
  EXPECT_EQ(health_.state(), HealthState::kRecovering);
  health_.on_time(now_ + seconds(5));
  EXPECT_EQ(health_.state(), HealthState::kUp);
  EXPECT_EQ(health_.recovers_at(), std::nullopt);
}

TEST_F(ProviderHealthTest, StartsThePauseAnewWhereItGoesDownDuringIt) {
  pass();
  go_down();
  pass();
  go_down();
  pass();
  go_down();
  pass();
  EXPECT_EQ(health_.recovers_at(), now_ + seconds(5)) << "it was not up: that is no further fall";
}

TEST_F(ProviderHealthTest, ForgetsTheFallsOfAProviderThatStayedUp) {
  pass();
  for (int i = 0; i < 3; ++i) {
    go_down();
    time_to_recover();
  }
  pass(kFlapMemory);
  go_down();
  EXPECT_EQ(time_to_recover(), seconds(0));
}

TEST_F(ProviderHealthTest, TakesAnUncheckedProviderForHealthy) {
  health_ = ProviderHealth(HealthCheck{.type = HealthCheck::Type::kNone});
  EXPECT_EQ(health_.state(), HealthState::kUnchecked);
  EXPECT_TRUE(health_.may_be_registered());
  for (int i = 0; i < 5; ++i) fail();  // of a check that was on its way
  EXPECT_TRUE(health_.may_be_registered());
}

TEST_F(ProviderHealthTest, KeepsItsStateWhenItsCheckChanges) {
  health_.set_check({.type = HealthCheck::Type::kNone});
  EXPECT_TRUE(health_.may_be_registered());
  health_.set_check({.type = HealthCheck::Type::kTcp});
  EXPECT_EQ(health_.state(), HealthState::kUp) << "until its checks fail";
  go_down();
  health_.set_check({.type = HealthCheck::Type::kDubbo});
  EXPECT_EQ(health_.state(), HealthState::kDown);
}

}  // namespace
}  // namespace skiff::registry
