#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "dubbo/bytes.h"
#include "forwarder/buffer_pool.h"
#include "forwarder/limits.h"

namespace skiff::forwarder {

// What one turn of a worker's loop reads, and what it builds to be written. It stays where it is
// until the turn's output was written, so that output refers to it instead of copying it: a frame
// goes from the socket it came from to the one it leaves by without being moved in between. Lives
// on its worker's thread.
class TurnMemory {
 public:
  // Bytes to be written that lie here; pieces of one OutputQueue are chained.
  struct Piece {
    std::byte* data;
    std::size_t size;
    std::uint32_t next;
  };
  static constexpr std::uint32_t kNoPiece = UINT32_MAX;

  explicit TurnMemory(BufferPool& pool) : pool_(pool), arena_(limits::kTurnArenaBytes) {}

  // False where the output must be written, and release() called, before more is read.
  bool has_read_room() const {
    return arena_.size() - used_ >= limits::kReadRoomMinBytes &&
           kept_bytes_ <= limits::kTurnKeptMaxBytes;
  }
  // Where to read to; the first `size` bytes of it are taken by commit(size).
  std::span<std::byte> read_room() { return std::span(arena_).subspan(used_); }
  void commit(std::size_t size) { used_ += size; }

  // Room for bytes to be written, of unspecified content.
  std::span<std::byte> build(std::size_t size);
  std::span<std::byte> copy(dubbo::Bytes bytes);
  // Bytes elsewhere that output refers to.
  void keep(PooledBlock block);

  Piece& piece(std::uint32_t index) { return pieces_[index]; }
  const Piece& piece(std::uint32_t index) const { return pieces_[index]; }
  std::uint32_t add_piece(std::span<std::byte> bytes);

  // Everything was written, or copied by whoever still needs it.
  void release();

 private:
  BufferPool& pool_;
  std::vector<std::byte> arena_;
  std::size_t used_ = 0;
  std::span<std::byte> spill_;  // what is left of the last block that was taken to build in
  std::vector<PooledBlock> kept_;
  std::size_t kept_bytes_ = 0;
  std::vector<Piece> pieces_;
};

}  // namespace skiff::forwarder
