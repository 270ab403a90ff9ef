#include "forwarder/connection_counts.h"

namespace skiff::forwarder {

ConnectionCounts::Place ConnectionCounts::place(std::size_t accepting) {
  while (true) {
    std::size_t chosen = accepting;
    const std::uint32_t own = open_[accepting].load(std::memory_order_relaxed);
    std::uint32_t fewest = own;
    if (hands_over_.load(std::memory_order_relaxed)) {
      for (std::size_t i = 0; i < open_.size(); ++i) {
        const std::uint32_t count = open_[i].load(std::memory_order_relaxed);
        if (count >= fewest || count + kClearlyFewer > own) continue;
        chosen = i;
        fewest = count;
      }
    }
    // Where another worker places one there at the same time, all of it is looked at again.
    if (open_[chosen].compare_exchange_weak(fewest, fewest + 1, std::memory_order_relaxed)) {
      return {chosen, ConnectionTicket(&open_[chosen])};
    }
  }
}

}  // namespace skiff::forwarder
