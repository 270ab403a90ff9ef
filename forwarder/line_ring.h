#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "forwarder/cell.h"
#include "forwarder/limits.h"

namespace skiff::forwarder {

// Lines on their way from a worker to the thread that writes them. Neither waits for the other: a
// line for which there is no room is dropped and counted. One thread may push(), one may
// take_all().
class LineRing {
 public:
  // False where it was dropped. `line` ends with a line end.
  bool push(std::string_view line) {
    const std::size_t end = end_.load(std::memory_order_relaxed);
    if (line.size() > kSize - (end - begin_.load(std::memory_order_acquire))) {
      dropped_.add();
      return false;
    }
    const std::size_t at = end % kSize;
    const std::size_t first = std::min(line.size(), kSize - at);
    std::memcpy(bytes_.get() + at, line.data(), first);
    std::memcpy(bytes_.get(), line.data() + first, line.size() - first);
    end_.store(end + line.size(), std::memory_order_release);
    return true;
  }

  // Appends all lines that are there to `out`.
  void take_all(std::string& out) {
    const std::size_t begin = begin_.load(std::memory_order_relaxed);
    const std::size_t size = end_.load(std::memory_order_acquire) - begin;
    const std::size_t at = begin % kSize;
    const std::size_t first = std::min(size, kSize - at);
    out.append(bytes_.get() + at, first);
    out.append(bytes_.get(), size - first);
    begin_.store(begin + size, std::memory_order_release);
  }

  // From any thread.
  std::uint64_t dropped() const { return dropped_.value(); }

 private:
  static constexpr std::size_t kSize = limits::kAccessLogRingBytes;

  // Memory that was never written to takes none of the machine's.
  std::unique_ptr<char[]> bytes_ =                    // NOLINT(modernize-avoid-c-arrays)
      std::make_unique_for_overwrite<char[]>(kSize);  // NOLINT(modernize-avoid-c-arrays)
  // Counted from the first byte ever pushed; modulo kSize where they are.
  std::atomic<std::size_t> begin_{0};
  std::atomic<std::size_t> end_{0};
  Cell dropped_;
};

// One for each worker.
using LineRings = std::vector<std::unique_ptr<LineRing>>;

}  // namespace skiff::forwarder
