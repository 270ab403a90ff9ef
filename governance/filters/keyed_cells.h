#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace skiff::governance {

// A number for each of many keys, which all workers count together: a limit of a machine is one
// limit, wherever its connections are. Without a lock, and bounded: a key has its cell as long as
// the number is worth keeping, and where all cells that it may have are taken it shares the last
// one with others. Any thread may call.
class KeyedCells {
 public:
  // For limits with keys; one that counts all requests together has one cell.
  static constexpr std::size_t kCells = 4'096;
  static constexpr std::size_t kProbes = 16;  // cells that a key may have, from its own place on

  struct Cell {
    std::atomic<std::uint64_t> key = 0;  // 0: it belongs to nobody
    std::atomic<std::int64_t> value = 0;
  };

  explicit KeyedCells(std::size_t cells) : cells_(cells) {}

  // The cell of `key`, which is not 0. `is_idle(value)`: another key may have it. Two threads that
  // take the same cell for two keys at the same moment count on the one that won; who finds its
  // cell given away in the moment between finding and counting counts once on another's.
  template <typename IsIdle>
  Cell& find(std::uint64_t key, IsIdle is_idle) {
    Cell* idle = nullptr;
    Cell* cell = nullptr;
    for (std::size_t i = 0; i < kProbes; ++i) {
      cell = &cells_[(key + i) % cells_.size()];
      std::uint64_t owner = cell->key.load(std::memory_order_relaxed);
      if (owner == key) return *cell;
      if (owner == 0 && cell->key.compare_exchange_strong(owner, key, std::memory_order_relaxed)) {
        return *cell;
      }
      if (owner == key) return *cell;
      if (idle == nullptr && is_idle(cell->value.load(std::memory_order_relaxed))) idle = cell;
    }
    if (idle == nullptr) return *cell;
    idle->key.store(key, std::memory_order_relaxed);
    return *idle;
  }

  std::size_t bytes() const { return cells_.size() * sizeof(Cell); }

  std::uint32_t index_of(const Cell& cell) const {
    return static_cast<std::uint32_t>(&cell - cells_.data());
  }
  Cell& at(std::uint32_t index) { return cells_[index]; }

 private:
  std::vector<Cell> cells_;
};

}  // namespace skiff::governance
