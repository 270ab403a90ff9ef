#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace skiff::agent {

// How often something took how long. Any thread may call it.
class LatencyHistogram {
 public:
  // Upper bounds in seconds; what took longer than the last is counted behind them.
  static constexpr std::array<double, 13> kBounds = {0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1,
                                                     0.2,   0.5,   1,     2,    5,    10};
  struct Snapshot {
    std::array<std::uint64_t, kBounds.size() + 1> counts{};
    double seconds = 0;  // the sum of all
  };

  void observe(std::chrono::nanoseconds time) {
    const double seconds = std::chrono::duration<double>(time).count();
    std::size_t bucket = 0;
    while (bucket < kBounds.size() && seconds > kBounds[bucket]) ++bucket;
    counts_[bucket].fetch_add(1, std::memory_order_relaxed);
    nanoseconds_.fetch_add(static_cast<std::uint64_t>(time.count()), std::memory_order_relaxed);
  }

  Snapshot snapshot() const {
    constexpr double kNanoseconds = 1e9;
    Snapshot snapshot;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
      snapshot.counts[i] = counts_[i].load(std::memory_order_relaxed);
    }
    snapshot.seconds =
        static_cast<double>(nanoseconds_.load(std::memory_order_relaxed)) / kNanoseconds;
    return snapshot;
  }

 private:
  std::array<std::atomic<std::uint64_t>, kBounds.size() + 1> counts_{};
  std::atomic<std::uint64_t> nanoseconds_{0};
};

}  // namespace skiff::agent
