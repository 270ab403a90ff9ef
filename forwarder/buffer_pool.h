#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

namespace skiff::forwarder {

class BufferPool;

// A block of bytes that goes back to its pool. Move-only; empty by default.
class PooledBlock {
 public:
  PooledBlock() = default;
  PooledBlock(PooledBlock&& other) noexcept
      : pool_(other.pool_),
        data_(std::exchange(other.data_, nullptr)),
        capacity_(std::exchange(other.capacity_, 0)) {}
  PooledBlock& operator=(PooledBlock&& other) noexcept;
  PooledBlock(const PooledBlock&) = delete;
  PooledBlock& operator=(const PooledBlock&) = delete;
  ~PooledBlock() { release(); }

  std::byte* data() const { return data_; }
  std::size_t capacity() const { return capacity_; }
  void release() {
    if (data_ != nullptr) give_back();
  }

 private:
  void give_back();

  friend class BufferPool;
  PooledBlock(BufferPool* pool, std::byte* data, std::size_t capacity)
      : pool_(pool), data_(data), capacity_(capacity) {}

  BufferPool* pool_ = nullptr;
  std::byte* data_ = nullptr;
  std::size_t capacity_ = 0;
};

// Buffers of one worker, so that an idle connection holds none and a busy one does not allocate.
// Blocks are powers of two from 4 KiB; free ones up to 256 KiB are kept, up to
// limits::kPooledBytesMax together. Lives on its worker's thread; must outlive its blocks.
class BufferPool {
 public:
  BufferPool() = default;
  ~BufferPool();
  BufferPool(const BufferPool&) = delete;
  BufferPool& operator=(const BufferPool&) = delete;

  // A block of at least `size` bytes.
  PooledBlock take(std::size_t size);

  // Bytes in blocks in use and free ones.
  std::size_t bytes() const { return bytes_in_use_ + bytes_free_; }
  std::size_t bytes_in_use() const { return bytes_in_use_; }

 private:
  friend class PooledBlock;
  static constexpr std::size_t kSmallest = 4096;
  static constexpr std::size_t kClasses = 7;  // 4 KiB .. 256 KiB

  void give_back(std::byte* data, std::size_t capacity);

  std::array<std::vector<std::byte*>, kClasses> free_;
  std::size_t bytes_free_ = 0;
  std::size_t bytes_in_use_ = 0;
};

}  // namespace skiff::forwarder
