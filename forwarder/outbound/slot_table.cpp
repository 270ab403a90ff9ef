#include "forwarder/outbound/slot_table.h"

#include "dubbo/check.h"

namespace skiff::forwarder {

Slot* SlotTable::take() {
  if (free_.empty()) {
    if (slots_.size() >= limit_) return nullptr;
    slots_.push_back(std::make_unique<Slot>(owner_, on_deadline_));
    slots_.back()->index = static_cast<std::uint32_t>(slots_.size() - 1);
    free_.reserve(slots_.capacity());  // so that giving back never allocates
    return slots_.back().get();
  }
  Slot* slot = slots_[free_.back()].get();
  free_.pop_back();
  return slot;
}

void SlotTable::give_back(Slot& slot) {
  check(slot.upstream != nullptr, "a slot is given back twice");
  slot.deadline.cancel();
  slot.upstream = nullptr;
  slot.method = nullptr;
  slot.history.reset();
  slot.retries_left = 0;
  slot.fan_out = Handle{};
  slot.kept.release();
  ++slot.generation;
  free_.push_back(slot.index);
}

Slot* SlotTable::find(std::uint64_t wire_id) const {
  const auto index = static_cast<std::uint32_t>(wire_id);
  if (index >= slots_.size()) return nullptr;
  Slot* slot = slots_[index].get();
  const bool current = slot->generation == wire_id >> 32 && slot->upstream != nullptr;
  return current ? slot : nullptr;
}

}  // namespace skiff::forwarder
