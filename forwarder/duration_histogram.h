#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "forwarder/cell.h"

namespace skiff::forwarder {

// Upper bounds of the buckets of all durations, in nanoseconds; what takes longer than the last is
// counted behind them.
inline constexpr std::array<std::uint64_t, 19> kDurationBounds = {
    10'000,        25'000,        50'000,        100'000,       250'000,
    500'000,       1'000'000,     2'500'000,     5'000'000,     10'000'000,
    25'000'000,    50'000'000,    100'000'000,   250'000'000,   500'000'000,
    1'000'000'000, 2'500'000'000, 5'000'000'000, 10'000'000'000};

// The sum of several histograms.
struct Durations {
  std::array<std::uint64_t, kDurationBounds.size() + 1> counts{};
  std::uint64_t nanoseconds = 0;  // of all of them
};

// How often something took how long, as one worker counts it. Any thread may read it.
class DurationHistogram {
 public:
  void observe(std::chrono::nanoseconds duration) {
    const auto value = static_cast<std::uint64_t>(std::max<std::int64_t>(duration.count(), 0));
    std::size_t bucket = kFirstBuckets[part_of(value)];
    // A part has one bound at most (below), so one comparison finds the bucket.
    if (bucket < kDurationBounds.size() && value > kDurationBounds[bucket]) ++bucket;
    counts_[bucket].add();
    nanoseconds_.add(value);
  }

  void add_to(Durations& sum) const {
    for (std::size_t i = 0; i < counts_.size(); ++i) sum.counts[i] += counts_[i].value();
    sum.nanoseconds += nanoseconds_.value();
  }

 private:
  // Each power of two in four equal parts: by the highest bit and the two behind it.
  static constexpr std::size_t kPartBits = 2;
  static constexpr std::size_t part_of(std::uint64_t value) {
    const auto octave = static_cast<std::size_t>(std::bit_width(value | 4U)) - 1;
    return octave << kPartBits | (value >> (octave - kPartBits) & 3U);
  }
  // The bucket of the least value of each part.
  static constexpr auto kFirstBuckets = [] {
    std::array<std::uint8_t, 64U << kPartBits> buckets{};
    for (std::size_t i = 0; i < buckets.size(); ++i) {
      const std::size_t octave = std::max<std::size_t>(i >> kPartBits, kPartBits);
      const std::uint64_t least = (4U + (i & 3U)) * (std::uint64_t{1} << (octave - kPartBits));
      std::size_t bucket = 0;
      while (bucket < kDurationBounds.size() && least > kDurationBounds[bucket]) ++bucket;
      buckets[i] = static_cast<std::uint8_t>(bucket);
    }
    return buckets;
  }();
  // The parts' bounds differ by a quarter at most, ours by more.
  static_assert([] {
    for (std::size_t i = 1; i < kDurationBounds.size(); ++i) {
      if (kDurationBounds[i] < kDurationBounds[i - 1] * 3 / 2) return false;
    }
    return true;
  }());

  std::array<Cell, kDurationBounds.size() + 1> counts_;
  Cell nanoseconds_;
};

}  // namespace skiff::forwarder
