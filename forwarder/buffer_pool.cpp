#include "forwarder/buffer_pool.h"

#include <algorithm>
#include <bit>
#include <new>

#include "forwarder/limits.h"

namespace skiff::forwarder {
namespace {

std::byte* allocate(std::size_t size) { return static_cast<std::byte*>(::operator new(size)); }
void deallocate(std::byte* data) { ::operator delete(data); }

}  // namespace

PooledBlock& PooledBlock::operator=(PooledBlock&& other) noexcept {
  if (this != &other) {
    release();
    pool_ = other.pool_;
    data_ = std::exchange(other.data_, nullptr);
    capacity_ = std::exchange(other.capacity_, 0);
  }
  return *this;
}

void PooledBlock::give_back() {
  pool_->give_back(data_, capacity_);
  data_ = nullptr;
  capacity_ = 0;
}

BufferPool::~BufferPool() {
  for (auto& blocks : free_) std::ranges::for_each(blocks, deallocate);
}

PooledBlock BufferPool::take(std::size_t size) {
  const std::size_t capacity = std::bit_ceil(std::max(size, kSmallest));
  const auto index = static_cast<std::size_t>(std::countr_zero(capacity / kSmallest));
  bytes_in_use_ += capacity;
  if (index >= kClasses || free_[index].empty()) return {this, allocate(capacity), capacity};
  std::byte* data = free_[index].back();
  free_[index].pop_back();
  bytes_free_ -= capacity;
  return {this, data, capacity};
}

void BufferPool::give_back(std::byte* data, std::size_t capacity) {
  bytes_in_use_ -= capacity;
  const auto index = static_cast<std::size_t>(std::countr_zero(capacity / kSmallest));
  if (index >= kClasses || bytes_free_ + capacity > limits::kPooledBytesMax) {
    deallocate(data);
    return;
  }
  free_[index].push_back(data);
  bytes_free_ += capacity;
}

}  // namespace skiff::forwarder
