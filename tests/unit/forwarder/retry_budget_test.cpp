#include "forwarder/outbound/retry_budget.h"

#include <gtest/gtest.h>

namespace skiff::forwarder {
namespace {

using namespace std::chrono_literals;

constexpr int kAlways = limits::kRetryBudgetSeconds * limits::kRetriesPerSecondMin;

class RetryBudgetTest : public ::testing::Test {
 protected:
  void note_requests(int count) {
    for (int i = 0; i < count; ++i) budget_.note_request(now_);
  }
  int take_all() {
    int taken = 0;
    while (budget_.take(now_)) ++taken;
    return taken;
  }

  RetryBudget budget_;
  TimePoint now_ = Clock::now();
};

TEST_F(RetryBudgetTest, AllowsAFewWhateverTheNumberOfRequests) {
  EXPECT_EQ(take_all(), kAlways);
  note_requests(kAlways);
  EXPECT_EQ(take_all(), 0);
}

TEST_F(RetryBudgetTest, AllowsAShareOfTheRequests) {
  note_requests(10'000);
  EXPECT_EQ(take_all(), 2000);
  note_requests(10);
  EXPECT_EQ(take_all(), 2);
}

TEST_F(RetryBudgetTest, ForgetsWhatIsOlderThanItsPeriod) {
  note_requests(10'000);
  EXPECT_EQ(take_all(), 2000);
  now_ += 9s;
  EXPECT_EQ(take_all(), 0);
  now_ += 1s;
  EXPECT_EQ(take_all(), kAlways);
}

TEST_F(RetryBudgetTest, NeverAllowsMoreThanTheShareInAnyPeriod) {
  int taken = 0;
  for (int second = 0; second < 100; ++second, now_ += 1s) {
    note_requests(5000);
    if (second >= 10) taken += take_all();
  }
  EXPECT_NEAR(taken, 90 * 1000, 10'000) << "20 %, and what the first seconds left over";
}

}  // namespace
}  // namespace skiff::forwarder
