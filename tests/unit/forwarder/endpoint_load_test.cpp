#include "forwarder/outbound/endpoint_load.h"

#include <gtest/gtest.h>

namespace skiff::forwarder {
namespace {

using namespace std::chrono_literals;

constexpr double kMillisecond = 1e6;

class EndpointLoadTest : public ::testing::Test {
 protected:
  void note_answers(int count, std::chrono::nanoseconds took, std::chrono::milliseconds every) {
    for (int i = 0; i < count; ++i) load_.note_answer_time(took, now_ += every);
  }

  EndpointLoad load_;
  TimePoint now_ = Clock::now();
};

TEST_F(EndpointLoadTest, ExpectsTheUsualTimeForEachRequestInFlight) {
  note_answers(10, 8ms, 1ms);
  note_answers(10, 12ms, 1ms);
  EXPECT_EQ(load_.estimated_response(now_), 10);
  load_.note_sent();
  load_.note_sent();
  EXPECT_EQ(load_.estimated_response(now_), 30);
  load_.note_settled(2);
  EXPECT_EQ(load_.estimated_response(now_), 10);
}

TEST_F(EndpointLoadTest, GoesByAnswersOfItsLastPeriods) {
  note_answers(100, 50ms, 10ms);
  now_ += 30s;
  note_answers(1, 10ms, 0ms);
  EXPECT_EQ(load_.estimated_response(now_), 10);
  EXPECT_EQ(load_.estimated_response(now_ + 59s), 10);
  EXPECT_EQ(load_.estimated_response(now_ + 60s), 0) << "nothing is known any more";
}

TEST_F(EndpointLoadTest, TakesASlowAnswerForThePeakAtOnce) {
  note_answers(100, 1ms, 10ms);
  EXPECT_NEAR(load_.peak_cost(now_), kMillisecond, 1);
  note_answers(1, 100ms, 10ms);
  EXPECT_EQ(load_.peak_cost(now_), 100 * kMillisecond);
}

TEST_F(EndpointLoadTest, ForgetsAPeakInSomeTenSeconds) {
  note_answers(1, 100ms, 0ms);
  note_answers(1000, 1ms, 10ms);
  EXPECT_NEAR(load_.peak_cost(now_), 37 * kMillisecond, 3 * kMillisecond) << "after 10 s";
  note_answers(5000, 1ms, 10ms);
  EXPECT_LT(load_.peak_cost(now_), 2 * kMillisecond) << "after 60 s";
}

TEST_F(EndpointLoadTest, CostsLessAndLessWhereNothingComes) {
  note_answers(1, 100ms, 0ms);
  EXPECT_LT(load_.peak_cost(now_ + 10s), 50 * kMillisecond);
  EXPECT_LT(load_.peak_cost(now_ + 60s), 5 * kMillisecond);
}

TEST_F(EndpointLoadTest, CostsNothingUntilItsFirstRequestAndMuchUntilItsFirstAnswer) {
  EXPECT_EQ(load_.peak_cost(now_), 0);
  load_.note_sent();
  EXPECT_GT(load_.peak_cost(now_), 1e6 * kMillisecond);
  load_.note_settled();
  note_answers(1, 5ms, 0ms);
  EXPECT_NEAR(load_.peak_cost(now_), 5 * kMillisecond, 1);
}

}  // namespace
}  // namespace skiff::forwarder
