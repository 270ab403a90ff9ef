#include "forwarder/outbound/load_balancer.h"

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <random>

namespace skiff::forwarder {
namespace {

using governance::ProviderEndpoint;

std::vector<ProviderEndpoint> providers_with(std::initializer_list<std::uint32_t> weights) {
  std::vector<ProviderEndpoint> providers;
  for (const std::uint32_t weight : weights) {
    ProviderEndpoint provider;
    provider.weight = weight;
    providers.push_back(provider);
  }
  return providers;
}

constexpr auto kAnyone = [](std::size_t) { return true; };

// How often each of up to 4 providers is chosen in `rounds` picks.
template <typename Usable>
std::array<int, 4> count_picks(const std::vector<ProviderEndpoint>& providers, int rounds,
                               Usable usable) {
  std::mt19937_64 random(20251123);
  WeightedRandom balancer(providers);
  std::array<int, 4> counts{};
  for (int i = 0; i < rounds; ++i) {
    ++counts.at(balancer.pick(random(), Clock::now(), usable).value());
  }
  return counts;
}

TEST(WeightedRandom, FollowsTheWeights) {
  const auto counts = count_picks(providers_with({100, 300, 0}), 40'000, kAnyone);
  EXPECT_NEAR(counts[0], 10'000, 500);
  EXPECT_NEAR(counts[1], 30'000, 500);
  EXPECT_EQ(counts[2], 0) << "weight 0 means no traffic";
}

TEST(WeightedRandom, KeepsTheProportionsOfWhatIsLeft) {
  const auto counts =
      count_picks(providers_with({100, 300, 600}), 40'000, [](std::size_t i) { return i != 2; });
  EXPECT_NEAR(counts[0], 10'000, 500);
  EXPECT_NEAR(counts[1], 30'000, 500);
  EXPECT_EQ(counts[2], 0);
}

TEST(WeightedRandom, KeepsTheProportionsWhateverIsLeftOut) {
  const auto counts = count_picks(providers_with({100, 100, 100, 100}), 40'000,
                                  [](std::size_t i) { return i % 2 == 1; });
  EXPECT_NEAR(counts[1], 20'000, 500);
  EXPECT_NEAR(counts[3], 20'000, 500);
}

TEST(WeightedRandom, ChoosesEvenlyWhereAllWeightsAreZero) {
  const auto counts = count_picks(providers_with({0, 0}), 10'000, kAnyone);
  EXPECT_NEAR(counts[0], 5000, 300);
}

TEST(WeightedRandom, TakesAProviderOfWeightZeroWhenNobodyElseIsThere) {
  const auto counts =
      count_picks(providers_with({0, 100}), 10, [](std::size_t i) { return i == 0; });
  EXPECT_EQ(counts[0], 10);
}

TEST(WeightedRandom, FindsNobodyAmongNone) {
  const std::vector<ProviderEndpoint> none;
  EXPECT_FALSE(WeightedRandom(none).pick(1, Clock::now(), kAnyone));
  const auto some = providers_with({1, 2});
  EXPECT_FALSE(WeightedRandom(some).pick(1, Clock::now(), [](std::size_t) { return false; }));
}

TEST(WeightedRandom, WarmsANewProviderUp) {
  auto providers = providers_with({100, 100});
  const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
  providers[1].started_at_ms =
      std::chrono::duration_cast<std::chrono::milliseconds>(since_epoch).count();
  providers[1].warmup = std::chrono::minutes(10);
  const auto counts = count_picks(providers, 10'000, kAnyone);
  EXPECT_LT(counts[1], 300) << "its weight is 1 of 100 in its first seconds";
}

}  // namespace
}  // namespace skiff::forwarder
