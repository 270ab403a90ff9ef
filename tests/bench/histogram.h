#pragma once

#include <cstdint>
#include <vector>

namespace skiff::bench {

// Counts of latencies in log-linear buckets: every power of two is cut into 128 equal parts, so
// that a percentile is at most 0.8 % too high, from nanoseconds to years, in 58 KiB.
class Histogram {
 public:
  Histogram();

  void record(std::uint64_t value);
  void merge(const Histogram& other);

  std::uint64_t count() const { return count_; }
  std::uint64_t max() const { return max_; }
  double mean() const;  // exact; 0 where nothing was recorded
  // The smallest bucket's upper end under or at which `fraction` (0..1) of all values lie, but
  // never more than max(); 0 where nothing was recorded.
  std::uint64_t percentile(double fraction) const;

 private:
  std::vector<std::uint64_t> buckets_;
  std::uint64_t count_ = 0;
  std::uint64_t max_ = 0;
  double sum_ = 0;
};

}  // namespace skiff::bench
