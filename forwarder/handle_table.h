#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace skiff::forwarder {

// Names an entry of a HandleTable; never names a later entry in the same place.
struct Handle {
  std::uint32_t index = UINT32_MAX;
  std::uint32_t generation = 0;
};

// Owns objects and names them by handles, so that others can refer to what may be gone by the time
// they ask. Lives on its worker's thread.
template <typename T>
class HandleTable {
 public:
  Handle add(std::unique_ptr<T> object) {
    std::uint32_t index = 0;
    if (free_.empty()) {
      index = static_cast<std::uint32_t>(entries_.size());
      entries_.emplace_back();
    } else {
      index = free_.back();
      free_.pop_back();
    }
    entries_[index].object = std::move(object);
    ++size_;
    return {index, entries_[index].generation};
  }

  // nullptr where it is gone.
  T* get(Handle handle) const {
    if (handle.index >= entries_.size()) return nullptr;
    const Entry& entry = entries_[handle.index];
    return entry.generation == handle.generation ? entry.object.get() : nullptr;
  }

  std::unique_ptr<T> remove(Handle handle) {
    if (get(handle) == nullptr) return nullptr;
    Entry& entry = entries_[handle.index];
    ++entry.generation;
    free_.push_back(handle.index);
    --size_;
    return std::move(entry.object);
  }

  std::size_t size() const { return size_; }

  // `visit` may remove the entry that it is given.
  template <typename Visit>
  void for_each(Visit visit) {
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      if (T* object = entries_[i].object.get(); object != nullptr) visit(*object);
    }
  }

 private:
  struct Entry {
    std::unique_ptr<T> object;
    std::uint32_t generation = 0;
  };

  std::vector<Entry> entries_;
  std::vector<std::uint32_t> free_;
  std::size_t size_ = 0;
};

}  // namespace skiff::forwarder
