#include "agent/latency_histogram.h"

#include <gtest/gtest.h>

namespace skiff::agent {
namespace {

using namespace std::chrono_literals;

TEST(LatencyHistogram, CountsEachTimeUnderTheFirstBoundThatHoldsIt) {
  LatencyHistogram histogram;
  histogram.observe(0ns);
  histogram.observe(1ms);
  histogram.observe(1001us);
  histogram.observe(10s);
  histogram.observe(1h);
  const LatencyHistogram::Snapshot snapshot = histogram.snapshot();
  EXPECT_EQ(snapshot.counts[0], 2U);
  EXPECT_EQ(snapshot.counts[1], 1U);
  EXPECT_EQ(snapshot.counts[LatencyHistogram::kBounds.size() - 1], 1U);
  EXPECT_EQ(snapshot.counts.back(), 1U);
  EXPECT_NEAR(snapshot.seconds, 3610.002001, 1e-6);
}

}  // namespace
}  // namespace skiff::agent
