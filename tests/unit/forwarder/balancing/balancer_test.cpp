// What holds for balancers of every kind.
#include "forwarder/outbound/balancing/balancer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <ostream>

#include "balancing/balancer_stage.h"

namespace skiff::governance {

// NOLINTNEXTLINE(readability-identifier-naming): Google Test looks for this name
void PrintTo(LoadBalance kind, std::ostream* out) {
  static constexpr std::array kNames = {"random", "round robin",       "least active",
                                        "hash",   "shortest response", "p2c"};
  *out << kNames[static_cast<std::size_t>(kind)];
}

}  // namespace skiff::governance

namespace skiff::forwarder {
namespace {

using governance::LoadBalance;
using testing::BalancerStage;
using ::testing::Each;
using ::testing::ElementsAre;
using testing::follow;
using testing::kAnyone;

constexpr std::array kAllKinds = {LoadBalance::kRandom,           LoadBalance::kRoundRobin,
                                  LoadBalance::kLeastActive,      LoadBalance::kConsistentHash,
                                  LoadBalance::kShortestResponse, LoadBalance::kP2c};

class AnyBalancer : public ::testing::TestWithParam<LoadBalance> {};
INSTANTIATE_TEST_SUITE_P(OfEachKind, AnyBalancer, ::testing::ValuesIn(kAllKinds));

TEST_P(AnyBalancer, FindsNobodyAmongNone) {
  BalancerStage stage({100, 200});
  EXPECT_FALSE(stage.pick(*stage.make(GetParam(), {})));
  EXPECT_FALSE(stage.pick(*stage.make(GetParam()), [](std::size_t) { return false; }));
}

TEST_P(AnyBalancer, ChoosesOnlyMembers) {
  BalancerStage stage({100, 100, 100, 100});
  const auto balancer = stage.make(GetParam(), {1, 3});
  const auto counts = stage.count(*balancer, 1000);
  EXPECT_EQ(counts[0] + counts[2], 0);
  EXPECT_GT(counts[1], 0);
  EXPECT_GT(counts[3], 0);
}

TEST_P(AnyBalancer, ChoosesOnlyWhoIsUsable) {
  BalancerStage stage({100, 100, 100, 0});
  const auto counts =
      stage.count(*stage.make(GetParam()), 1000, [](std::size_t i) { return i % 2 == 1; });
  EXPECT_THAT(counts, ElementsAre(0, 1000, 0, 0));
}

TEST_P(AnyBalancer, TakesAProviderOfWeightZeroWhenNobodyElseIsThere) {
  BalancerStage stage({0, 100});
  const auto counts =
      stage.count(*stage.make(GetParam()), 10, [](std::size_t i) { return i == 0; });
  EXPECT_THAT(counts, ElementsAre(10, 0));
}

TEST_P(AnyBalancer, ChoosesEvenlyWhereAllWeightsAreZero) {
  BalancerStage stage({0, 0, 0});
  EXPECT_TRUE(follow(stage.count(*stage.make(GetParam()), 30'000), {1 / 3.0, 1 / 3.0, 1 / 3.0}));
}

TEST_P(AnyBalancer, HasNoSharesWhereNobodyIsUsable) {
  BalancerStage stage({100, 200});
  const auto none = [](std::size_t) { return false; };
  EXPECT_THAT(stage.make(GetParam())->shares(stage.now, none), Each(0.0));
}

// All but consistent hash, whose choice is the key's.
class DrawingBalancer : public ::testing::TestWithParam<LoadBalance> {
 protected:
  static constexpr int kRounds = 60'000;
};
INSTANTIATE_TEST_SUITE_P(OfEachKind, DrawingBalancer,
                         ::testing::Values(LoadBalance::kRandom, LoadBalance::kRoundRobin,
                                           LoadBalance::kLeastActive,
                                           LoadBalance::kShortestResponse, LoadBalance::kP2c));

TEST_P(DrawingBalancer, ChoosesAsItsSharesSay) {
  BalancerStage stage({100, 300, 0, 50, 100});
  const auto balancer = stage.make(GetParam());
  EXPECT_TRUE(follow(stage.count(*balancer, kRounds), balancer->shares(stage.now, kAnyone)));
}

TEST_P(DrawingBalancer, ChoosesAsItsSharesSayWhereSomeAreNotUsable) {
  BalancerStage stage({100, 300, 0, 50, 100});
  const auto usable = [](std::size_t i) { return i != 1; };
  const auto balancer = stage.make(GetParam());
  EXPECT_TRUE(follow(stage.count(*balancer, kRounds, usable), balancer->shares(stage.now, usable)));
}

TEST_P(DrawingBalancer, ChoosesAsItsSharesSayUnderLoad) {
  BalancerStage stage({100, 300, 0, 50, 100});
  for (std::size_t i = 0; i < stage.size(); ++i) {
    stage.note_answer(i, std::chrono::milliseconds(5 + i / 2));
    stage.put_in_flight(i, static_cast<int>(2 + i / 3));
  }
  const auto balancer = stage.make(GetParam());
  EXPECT_TRUE(follow(stage.count(*balancer, kRounds), balancer->shares(stage.now, kAnyone)));
}

// Those that go by weight where nothing else tells the providers apart.
class WeighingBalancer : public DrawingBalancer {};
INSTANTIATE_TEST_SUITE_P(OfEachKind, WeighingBalancer,
                         ::testing::Values(LoadBalance::kRandom, LoadBalance::kRoundRobin,
                                           LoadBalance::kLeastActive,
                                           LoadBalance::kShortestResponse));

TEST_P(WeighingBalancer, FollowsTheWeights) {
  BalancerStage stage({100, 300, 0});
  EXPECT_TRUE(follow(stage.count(*stage.make(GetParam()), kRounds), {0.25, 0.75, 0}));
}

TEST_P(WeighingBalancer, KeepsTheProportionsOfWhatIsLeft) {
  BalancerStage stage({100, 300, 600});
  const auto usable = [](std::size_t i) { return i != 2; };
  EXPECT_TRUE(follow(stage.count(*stage.make(GetParam()), kRounds, usable), {0.25, 0.75, 0}));
}

TEST_P(WeighingBalancer, KeepsTheProportionsWhateverIsLeftOut) {
  BalancerStage stage({100, 100, 100, 100});
  const auto usable = [](std::size_t i) { return i % 2 == 1; };
  EXPECT_TRUE(follow(stage.count(*stage.make(GetParam()), kRounds, usable), {0, 0.5, 0, 0.5}));
}

// So much of its warm-up is over, so much of its weight it has.
TEST_P(WeighingBalancer, WarmsANewProviderUp) {
  constexpr std::chrono::milliseconds kWarmup = std::chrono::hours(10);
  for (const int percent : {0, 1, 25, 80, 100}) {
    BalancerStage stage({100, 100});
    const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
    const auto started = since_epoch - kWarmup * percent / 100 - std::chrono::minutes(1);
    stage.providers[1].started_at_ms =
        std::chrono::duration_cast<std::chrono::milliseconds>(started).count();
    stage.providers[1].warmup = kWarmup;
    const double weight = std::max(percent, 1);
    const std::vector<double> shares = {100 / (100 + weight), weight / (100 + weight)};
    EXPECT_TRUE(follow(stage.count(*stage.make(GetParam()), kRounds), shares)) << percent << " %";
  }
}

TEST(PreferredFirst, ChoosesThePreferredWhileEnoughOfThemAreUsable) {
  BalancerStage stage({100, 100, 100, 100});
  const auto balancer =
      make_balancer({}, stage.providers, stage.endpoints, stage.all(), {1, 2}, 50);
  EXPECT_TRUE(follow(stage.count(*balancer, 20'000), {0, 0.5, 0.5, 0}));
  EXPECT_THAT(balancer->shares(stage.now, kAnyone), ElementsAre(0, 0.5, 0.5, 0));
  const auto without_one = [](std::size_t i) { return i != 1; };
  EXPECT_THAT(stage.count(*balancer, 100, without_one), ElementsAre(0, 0, 100, 0));
}

TEST(PreferredFirst, ChoosesAmongAllWhereTooFewOfThePreferredAreUsable) {
  BalancerStage stage({100, 100, 100, 100});
  const auto balancer =
      make_balancer({}, stage.providers, stage.endpoints, stage.all(), {1, 2}, 51);
  const auto without_one = [](std::size_t i) { return i != 1; };
  EXPECT_TRUE(follow(stage.count(*balancer, 30'000, without_one), {1 / 3.0, 0, 1 / 3.0, 1 / 3.0}));
  EXPECT_THAT(balancer->shares(stage.now, without_one), ElementsAre(1 / 3.0, 0, 1 / 3.0, 1 / 3.0));
}

TEST(PreferredFirst, ChoosesAmongAllWhereNobodyIsPreferredOrUsable) {
  BalancerStage stage({100, 100});
  const auto nobody = make_balancer({}, stage.providers, stage.endpoints, stage.all(), {}, 50);
  EXPECT_TRUE(follow(stage.count(*nobody, 20'000), {0.5, 0.5}));
  const auto gone = make_balancer({}, stage.providers, stage.endpoints, stage.all(), {0}, 0);
  EXPECT_THAT(stage.count(*gone, 10, [](std::size_t i) { return i == 1; }), ElementsAre(0, 10));
}

}  // namespace
}  // namespace skiff::forwarder
