#pragma once

#include <cstdint>

#include "forwarder/mix64.h"

namespace skiff::forwarder {

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
