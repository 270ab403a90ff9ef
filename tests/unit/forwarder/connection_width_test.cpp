#include "forwarder/outbound/connection_width.h"

#include <gtest/gtest.h>

namespace skiff::forwarder {
namespace {

constexpr TimePoint kStart{std::chrono::hours(1)};
constexpr std::size_t kMuch = limits::kBytesPerUpstreamConnection;

TEST(ConnectionWidth, IsOneWhereLittleIsInFlight) {
  ConnectionWidth width;
  width.update(kMuch - 1, kStart);
  EXPECT_EQ(width.now(), 1U);
}

TEST(ConnectionWidth, GrowsAtOnceUpToTheLimit) {
  ConnectionWidth width;
  width.update(kMuch, kStart);
  EXPECT_EQ(width.now(), 2U);
  width.update(100 * kMuch, kStart);
  EXPECT_EQ(width.now(), limits::kUpstreamConnectionsMax);
}

TEST(ConnectionWidth, ShrinksToWhatAWholePeriodNeeded) {
  ConnectionWidth width;
  width.update(100 * kMuch, kStart);
  EXPECT_FALSE(width.update(kMuch, kStart + limits::kUpstreamWidthPeriod));
  EXPECT_EQ(width.now(), limits::kUpstreamConnectionsMax) << "it was needed in that period";
  EXPECT_TRUE(width.update(0, kStart + 2 * limits::kUpstreamWidthPeriod));
  EXPECT_EQ(width.now(), 2U);
  EXPECT_TRUE(width.update(0, kStart + 3 * limits::kUpstreamWidthPeriod));
  EXPECT_EQ(width.now(), 1U);
}

TEST(ConnectionWidth, StopsGrowingForAPeriodWhereNoConnectionCouldBeMade) {
  ConnectionWidth width;
  width.update(2 * kMuch, kStart);
  width.stop_growing(1, kStart);
  width.update(2 * kMuch, kStart + std::chrono::milliseconds(1));
  EXPECT_EQ(width.now(), 1U);
  width.update(2 * kMuch, kStart + limits::kUpstreamWidthPeriod);
  EXPECT_EQ(width.now(), 3U);
}

}  // namespace
}  // namespace skiff::forwarder
