#pragma once

#include <cstdint>

#include "forwarder/mix64.h"

namespace skiff::forwarder {

// From 0 to `bound` - 1, as evenly as `random` is over 64 bits. A multiplication takes a fraction
// of the time of a division.
inline std::uint64_t below(std::uint64_t bound, std::uint64_t random) {
  __extension__ using Product = unsigned __int128;
  return static_cast<std::uint64_t>(Product{random} * bound >> 64U);
}

// splitmix64: cheap, and good enough to spread load. Lives on one thread.
class RandomSource {
 public:
  explicit RandomSource(std::uint64_t seed) : state_(seed) {}

  // Uniform over 64 bits.
  std::uint64_t operator()() { return mix64(state_ += 0x9e3779b97f4a7c15ULL); }

 private:
  std::uint64_t state_;
};

}  // namespace skiff::forwarder
