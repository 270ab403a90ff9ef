// What makes each kind of balancer the one that it is.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "balancing/balancer_stage.h"

namespace skiff::forwarder {
namespace {

using governance::LoadBalance;
using ::testing::AnyOf;
using testing::BalancerStage;
using ::testing::ElementsAre;
using testing::follow;
using namespace std::chrono_literals;

std::string sequence(BalancerStage& stage, Balancer& balancer, int picks) {
  std::string names;
  for (int i = 0; i < picks; ++i) {
    names += static_cast<char>('a' + stage.pick(balancer).value());
  }
  return names;
}

// nginx's example.
TEST(SmoothRoundRobin, SpreadsTheTurnsOfTheHeavy) {
  BalancerStage stage({5, 1, 1});
  const auto balancer = stage.make(LoadBalance::kRoundRobin);
  const std::string round = sequence(stage, *balancer, 7);
  EXPECT_THAT(round, AnyOf("aabacaa", "aacabaa"));
  EXPECT_EQ(sequence(stage, *balancer, 14), round + round);
}

TEST(SmoothRoundRobin, TakesEqualsOneAfterTheOther) {
  BalancerStage stage({100, 100, 100});
  const auto balancer = stage.make(LoadBalance::kRoundRobin);
  EXPECT_THAT(sequence(stage, *balancer, 6), AnyOf("abcabc", "bcabca", "cabcab"));
}

TEST(SmoothRoundRobin, DoesNotAlwaysBeginWithTheSame) {
  BalancerStage stage({100, 100, 100});
  std::vector<int> counts(3, 0);
  for (int i = 0; i < 3000; ++i) {
    ++counts.at(stage.pick(*stage.make(LoadBalance::kRoundRobin)).value());
  }
  EXPECT_TRUE(follow(counts, {1 / 3.0, 1 / 3.0, 1 / 3.0}));
}

TEST(SmoothRoundRobin, GivesWhoComesBackNoMoreThanItsTurns) {
  BalancerStage stage({100, 100});
  const auto balancer = stage.make(LoadBalance::kRoundRobin);
  stage.count(*balancer, 1000, [](std::size_t i) { return i == 0; });
  const auto counts = stage.count(*balancer, 10);
  EXPECT_THAT(counts, ElementsAre(5, 5));
}

TEST(LeastActive, ChoosesWhoHasFewestRequestsInFlight) {
  BalancerStage stage({100, 1000, 1});
  stage.put_in_flight(0, 3);
  stage.put_in_flight(1, 4);
  stage.put_in_flight(2, 2);
  const auto balancer = stage.make(LoadBalance::kLeastActive);
  EXPECT_THAT(stage.count(*balancer, 100), ElementsAre(0, 0, 100));
  stage.put_in_flight(2, 1);
  EXPECT_TRUE(follow(stage.count(*balancer, 50'000), {100 / 101.0, 0, 1 / 101.0}))
      << "among equals by weight";
}

TEST(LeastActive, EvensOutWhatIsInFlight) {
  BalancerStage stage({100, 300, 100});
  const auto balancer = stage.make(LoadBalance::kLeastActive);
  for (int i = 0; i < 300; ++i) stage.put_in_flight(stage.pick(*balancer).value(), 1);
  for (const Endpoint* endpoint : stage.endpoints) EXPECT_EQ(endpoint->load.in_flight(), 100U);
}

TEST(ShortestResponse, ChoosesByAnswerTimeAndRequestsInFlight) {
  BalancerStage stage({100, 100});
  stage.note_answer(0, 10ms);
  stage.note_answer(1, 25ms);
  const auto balancer = stage.make(LoadBalance::kShortestResponse);
  EXPECT_THAT(stage.count(*balancer, 10), ElementsAre(10, 0));
  stage.put_in_flight(0, 2);
  EXPECT_THAT(stage.count(*balancer, 10), ElementsAre(0, 10)) << "25 ms once, 10 ms three times";
}

TEST(ShortestResponse, TakesThoseForEqualThatDifferByLessThanAMillisecond) {
  BalancerStage stage({100, 300});
  stage.note_answer(0, 1200us);
  stage.note_answer(1, 1900us);
  const auto balancer = stage.make(LoadBalance::kShortestResponse);
  EXPECT_TRUE(follow(stage.count(*balancer, 20'000), {0.25, 0.75}));
}

TEST(TwoChoices, ChoosesTheBetterOfTwo) {
  BalancerStage stage({100, 100});
  stage.note_answer(0, 10ms);
  stage.note_answer(1, 11ms);
  const auto balancer = stage.make(LoadBalance::kP2c);
  EXPECT_THAT(stage.count(*balancer, 100), ElementsAre(100, 0));
  stage.put_in_flight(0, 1);
  EXPECT_THAT(stage.count(*balancer, 100), ElementsAre(0, 100)) << "two requests would take longer";
}

TEST(TwoChoices, NeverChoosesTheWorstOfThree) {
  BalancerStage stage({100, 100, 100});
  for (std::size_t i = 0; i < 3; ++i) stage.note_answer(i, 10ms * (i + 1));
  const auto counts = stage.count(*stage.make(LoadBalance::kP2c), 30'000);
  EXPECT_TRUE(follow(counts, {2 / 3.0, 1 / 3.0, 0}));
}

TEST(TwoChoices, LetsOneRequestFindOutAboutANewProvider) {
  BalancerStage stage({100, 100});
  stage.note_answer(0, 10ms);
  stage.put_in_flight(0, 50);
  const auto balancer = stage.make(LoadBalance::kP2c);
  EXPECT_EQ(stage.pick(*balancer), 1U);
  stage.put_in_flight(1, 1);
  EXPECT_EQ(stage.pick(*balancer), 0U) << "its answer is awaited";
  stage.note_answer(1, 10ms);
  EXPECT_EQ(stage.pick(*balancer), 1U);
}

TEST(TwoChoices, GivesWhoWeighsMoreMoreInFlight) {
  BalancerStage stage({100, 300});
  stage.note_answer(0, 10ms);
  stage.note_answer(1, 10ms);
  const auto balancer = stage.make(LoadBalance::kP2c);
  for (int i = 0; i < 400; ++i) stage.put_in_flight(stage.pick(*balancer).value(), 1);
  EXPECT_NEAR(static_cast<double>(stage.endpoints[0]->load.in_flight()), 100, 2);
}

}  // namespace
}  // namespace skiff::forwarder
