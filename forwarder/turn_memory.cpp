#include "forwarder/turn_memory.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace skiff::forwarder {

std::span<std::byte> TurnMemory::build(std::size_t size) {
  if (size <= arena_.size() - used_) {
    const std::span<std::byte> room = read_room().first(size);
    commit(size);
    return room;
  }
  if (size > spill_.size()) {
    PooledBlock block = pool_.take(std::max(size, limits::kTurnSpillBytes));
    spill_ = {block.data(), block.capacity()};
    keep(std::move(block));
  }
  const std::span<std::byte> room = spill_.first(size);
  spill_ = spill_.subspan(size);
  return room;
}

std::span<std::byte> TurnMemory::copy(dubbo::Bytes bytes) {
  const std::span<std::byte> room = build(bytes.size());
  if (!bytes.empty()) std::memcpy(room.data(), bytes.data(), bytes.size());
  return room;
}

void TurnMemory::keep(PooledBlock block) {
  kept_bytes_ += block.capacity();
  kept_.push_back(std::move(block));
}

std::uint32_t TurnMemory::add_piece(std::span<std::byte> bytes) {
  pieces_.push_back({bytes.data(), bytes.size(), kNoPiece});
  return static_cast<std::uint32_t>(pieces_.size() - 1);
}

void TurnMemory::release() {
  used_ = 0;
  spill_ = {};
  kept_.clear();
  kept_bytes_ = 0;
  pieces_.clear();
}

}  // namespace skiff::forwarder
