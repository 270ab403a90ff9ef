#include "governance/provider_endpoint.h"

#include <gtest/gtest.h>

namespace skiff::governance {
namespace {

using std::chrono::milliseconds;

TEST(EffectiveWeight, GrowsWithUptimeAndNeverIsZeroUnlessAskedFor) {
  ProviderEndpoint provider;
  provider.weight = 100;
  provider.warmup = milliseconds(1000);
  provider.started_at_ms = 5000;
  EXPECT_EQ(effective_weight(provider, 5000), 1U);
  EXPECT_EQ(effective_weight(provider, 5250), 25U);
  EXPECT_EQ(effective_weight(provider, 6000), 100U);
  EXPECT_EQ(effective_weight(provider, 4000), 1U) << "a start in the future counts as now";
  provider.weight = 0;
  EXPECT_EQ(effective_weight(provider, 5250), 0U);
  provider.weight = 100;
  provider.started_at_ms = 0;
  EXPECT_EQ(effective_weight(provider, 1), 100U) << "an unknown start means no warm-up";
}

}  // namespace
}  // namespace skiff::governance
