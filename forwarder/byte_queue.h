#pragma once

#include <cstddef>
#include <cstring>
#include <span>

#include "dubbo/bytes.h"
#include "forwarder/buffer_pool.h"

namespace skiff::forwarder {

// Bytes in, bytes out, in one contiguous block that is taken from the pool when something comes and
// given back when the last byte has gone.
class ByteQueue {
 public:
  explicit ByteQueue(BufferPool& pool) : pool_(pool) {}

  bool empty() const { return begin_ == end_; }
  std::size_t size() const { return end_ - begin_; }
  std::span<std::byte> bytes() const { return {block_.data() + begin_, size()}; }

  // Adds `n` bytes of unspecified content at the end; the caller writes them at once. Valid until
  // the next call.
  std::byte* extend(std::size_t n) {
    if (end_ + n > block_.capacity()) make_room(n);
    std::byte* tail = block_.data() + end_;
    end_ += n;
    return tail;
  }
  void append(dubbo::Bytes bytes) {
    if (!bytes.empty()) std::memcpy(extend(bytes.size()), bytes.data(), bytes.size());
  }
  void consume(std::size_t n) {
    begin_ += n;
    if (begin_ == end_) clear();
  }
  void clear() {
    begin_ = end_ = 0;
    block_.release();
  }

 private:
  void make_room(std::size_t n) {
    const std::size_t used = size();
    // Moving down is worth it only where it frees at least as much as it moves: each byte then
    // moves once on average.
    if (begin_ >= used && used + n <= block_.capacity()) {
      std::memmove(block_.data(), block_.data() + begin_, used);
    } else {
      PooledBlock larger =
          pool_.take(used + n > block_.capacity() ? used + n : 2 * block_.capacity());
      if (used > 0) std::memcpy(larger.data(), block_.data() + begin_, used);
      block_ = std::move(larger);
    }
    begin_ = 0;
    end_ = used;
  }

  BufferPool& pool_;
  PooledBlock block_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace skiff::forwarder
