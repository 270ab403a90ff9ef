#pragma once

#include <atomic>
#include <cstdint>

namespace skiff::forwarder {

// A number that one thread counts up and any thread may read. Counting is a load, an addition and a
// store: no instruction that locks.
class Cell {
 public:
  void add(std::uint64_t n = 1) {
    value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

}  // namespace skiff::forwarder
