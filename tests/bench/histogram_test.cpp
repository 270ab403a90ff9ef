#include "tests/bench/histogram.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>

namespace skiff::bench {
namespace {

TEST(Histogram, IsZeroWhereNothingWasRecorded) {
  const Histogram histogram;
  EXPECT_EQ(histogram.count(), 0U);
  EXPECT_EQ(histogram.percentile(0.5), 0U);
  EXPECT_EQ(histogram.mean(), 0);
}

TEST(Histogram, KeepsSmallValuesExactly) {
  Histogram histogram;
  for (std::uint64_t value = 1; value <= 100; ++value) histogram.record(value);
  EXPECT_EQ(histogram.percentile(0), 1U);
  EXPECT_EQ(histogram.percentile(0.5), 50U);
  EXPECT_EQ(histogram.percentile(0.99), 99U);
  EXPECT_EQ(histogram.percentile(1), 100U);
  EXPECT_DOUBLE_EQ(histogram.mean(), 50.5);
}

TEST(Histogram, IsAtMostOnePercentTooHighOverTheWholeRange) {
  for (std::uint64_t value = 1; value < std::numeric_limits<std::uint64_t>::max() / 7;
       value = value * 5 + 3) {
    Histogram histogram;
    histogram.record(value);
    histogram.record(
        std::numeric_limits<std::uint64_t>::max());  // so that max() does not hide the bucket
    EXPECT_GE(histogram.percentile(0.5), value);
    EXPECT_LE(histogram.percentile(0.5) - value, value / 100) << value;
  }
}

TEST(Histogram, PutsNeighboursOfAPowerOfTwoInOrder) {
  for (unsigned bit = 1; bit < 64; ++bit) {
    const std::uint64_t power = std::uint64_t{1} << bit;
    Histogram histogram;
    histogram.record(power - 1);
    histogram.record(power);
    EXPECT_EQ(histogram.percentile(0.5), power - 1);
    EXPECT_EQ(histogram.percentile(1), power);
  }
}

TEST(Histogram, NeverReportsMoreThanTheLargestValue) {
  Histogram histogram;
  histogram.record(1'000'001);
  EXPECT_EQ(histogram.percentile(0.999), 1'000'001U);
  EXPECT_EQ(histogram.max(), 1'000'001U);
}

TEST(Histogram, MergesAsIfAllHadBeenRecordedInOne) {
  Histogram left;
  Histogram right;
  Histogram both;
  for (std::uint64_t value = 1; value < 10'000; value += 7) {
    (value % 2 == 0 ? left : right).record(value);
    both.record(value);
  }
  left.merge(right);
  EXPECT_EQ(left.count(), both.count());
  EXPECT_DOUBLE_EQ(left.mean(), both.mean());
  for (const double fraction : {0.1, 0.5, 0.9, 0.99}) {
    EXPECT_EQ(left.percentile(fraction), both.percentile(fraction));
  }
}

}  // namespace
}  // namespace skiff::bench
