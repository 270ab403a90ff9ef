#include "tests/bench/histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>

namespace skiff::bench {
namespace {

constexpr unsigned kPartBits = 7;
constexpr std::uint64_t kParts = 1U << kPartBits;
constexpr std::size_t kBuckets = (64 - kPartBits + 1) * kParts;

// Values below kParts have a bucket each; above, the number of the power of two and the kPartBits
// bits behind the leading one.
std::size_t bucket_of(std::uint64_t value) {
  if (value < kParts) return value;
  const unsigned shift = static_cast<unsigned>(std::bit_width(value)) - kPartBits - 1;
  return (shift + 1) * kParts + ((value >> shift) - kParts);
}

std::uint64_t upper_end_of(std::size_t bucket) {
  if (bucket < kParts) return bucket;
  const std::size_t shift = bucket / kParts - 1;
  return ((kParts + bucket % kParts + 1) << shift) - 1;
}

}  // namespace

Histogram::Histogram() : buckets_(kBuckets) {}

void Histogram::record(std::uint64_t value) {
  ++buckets_[bucket_of(value)];
  ++count_;
  max_ = std::max(max_, value);
  sum_ += static_cast<double>(value);
}

void Histogram::merge(const Histogram& other) {
  for (std::size_t i = 0; i < kBuckets; ++i) buckets_[i] += other.buckets_[i];
  count_ += other.count_;
  max_ = std::max(max_, other.max_);
  sum_ += other.sum_;
}

double Histogram::mean() const { return count_ == 0 ? 0 : sum_ / static_cast<double>(count_); }

std::uint64_t Histogram::percentile(double fraction) const {
  const auto wanted = static_cast<std::uint64_t>(std::ceil(fraction * static_cast<double>(count_)));
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < kBuckets; ++i) {
    seen += buckets_[i];
    if (seen > 0 && seen >= wanted) return std::min(upper_end_of(i), max_);
  }
  return max_;
}

}  // namespace skiff::bench
