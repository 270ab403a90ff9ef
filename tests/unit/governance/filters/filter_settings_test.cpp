#include "governance/filters/filter_settings.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>

#include "governance/filters/limit_keys.h"

namespace skiff::governance {
namespace {

TEST(Share, TakesItsPartOfAllRandomNumbers) {
  constexpr std::uint64_t kMax = std::numeric_limits<std::uint64_t>::max();
  EXPECT_TRUE(Share{Share::kAll}.takes(kMax));
  EXPECT_FALSE(Share{0}.takes(0));
  const Share tenth{Share::kAll / 10};
  std::size_t taken = 0;
  constexpr std::size_t kDraws = 10'000;
  for (std::size_t i = 0; i < kDraws; ++i)
    taken += tenth.takes(kMax / kDraws * i + kMax / kDraws / 2) ? 1 : 0;
  EXPECT_EQ(taken, kDraws / 10);
}

TEST(Share, IsSaidAsAPercentage) {
  EXPECT_EQ(Share{Share::kAll}.to_string(), "100 %");
  EXPECT_EQ(Share{25'000}.to_string(), "2.5 %");
  EXPECT_EQ(Share{1}.to_string(), "0.0001 %");
}

TEST(LimitKeys, DifferByWhatTheyCountApart) {
  RequestFacts shop;
  shop.interface = "a.Demo";
  shop.method = "find";
  shop.caller_address = "127.0.0.1:5000";
  RequestFacts again = shop;
  again.caller_address = "127.0.0.1:5001";  // another connection of the same machine
  RequestFacts other = shop;
  other.application = "shop";
  const LimitKeys all;
  const LimitKeys by_caller{.caller = true};
  EXPECT_EQ(all.of(shop), all.of(other));
  EXPECT_EQ(by_caller.of(shop), by_caller.of(again));
  EXPECT_NE(by_caller.of(shop), by_caller.of(other));
  EXPECT_NE((LimitKeys{.service = true}.of(shop)), (LimitKeys{.method = true}.of(shop)));
  EXPECT_EQ(by_caller.to_string(other), "caller shop");
}

}  // namespace
}  // namespace skiff::governance
