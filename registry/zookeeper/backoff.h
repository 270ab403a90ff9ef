#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <random>

namespace skiff::registry {

// The pauses between attempts: they double up to a limit, and each is shortened at random by up to
// a half, so that many agents do not come back at one moment. There is one for each node and list,
// so they share their random numbers; lives on one thread.
class Backoff {
 public:
  // For operations on nodes.
  Backoff() : Backoff(std::chrono::milliseconds(100), std::chrono::seconds(10)) {}
  Backoff(std::chrono::milliseconds first, std::chrono::milliseconds longest)
      : first_(first), longest_(longest) {}

  // The pause before the next attempt.
  std::chrono::milliseconds next() {
    const std::chrono::milliseconds full = std::min(longest_, first_ * (1U << attempts_));
    constexpr unsigned kMaxDoublings = 16;
    attempts_ = std::min(attempts_ + 1, kMaxDoublings);
    thread_local std::minstd_rand random(std::random_device{}());
    std::uniform_int_distribution<std::int64_t> pause(full.count() / 2, full.count());
    return std::chrono::milliseconds(pause(random));
  }

  void reset() { attempts_ = 0; }

 private:
  std::chrono::milliseconds first_;
  std::chrono::milliseconds longest_;
  unsigned attempts_ = 0;
};

}  // namespace skiff::registry
