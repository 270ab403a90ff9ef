#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "dubbo/bytes.h"
#include "forwarder/byte_queue.h"
#include "forwarder/frame.h"
#include "forwarder/turn_memory.h"

namespace skiff::forwarder {

// Whole frames on their way to a socket: first what earlier turns could not write, in a buffer of
// its own, then what this turn appended, where it lies in the loop's TurnMemory. Lives on its
// worker's thread.
class OutputQueue {
 public:
  enum class Progress { kAllWritten, kBlocked, kFailed };

  OutputQueue(BufferPool& pool, TurnMemory& turn) : turn_(turn), rest_(pool) {}

  bool empty() const { return size() == 0; }
  std::size_t size() const { return rest_.size() + turn_size_; }

  // Appends whole frames that lie in the turn's memory. Frames that came together mostly leave
  // together: what lies behind the last one makes that piece longer.
  void append(std::span<std::byte> frames) {
    turn_size_ += frames.size();
    if (last_ != TurnMemory::kNoPiece) {
      TurnMemory::Piece& last = turn_.piece(last_);
      if (last.data + last.size == frames.data()) {
        last.size += frames.size();
        return;
      }
    }
    begin_piece(frames);
  }
  // Writes until all is written or `fd` takes no more. Where it failed, errno says why.
  Progress write_to(int fd);
  // Copies what is left of this turn's frames: must be called before its memory is released.
  void keep_rest();
  void clear();

  // --- to and from another process; keep_rest() must come first
  // All that is left, and how many bytes of it end a frame that was begun.
  dubbo::Bytes left() const { return rest_.bytes(); }
  std::size_t half_sent() const { return first_frame_left_; }
  // Its first `size` bytes, whole frames but for the first, are somebody else's matter.
  void drop_left(std::size_t size);
  // Of an empty one: what another queue had left.
  void restore(dubbo::Bytes left, std::size_t half_sent);

  // Calls visit(Frame) for each frame of which nothing was written. It may append to other queues
  // what it was given.
  template <typename Visit>
  void for_each_unsent_frame(Visit visit) {
    for_each_frame(rest_.bytes().subspan(first_frame_left_), visit);
    for (std::uint32_t i = first_; i != TurnMemory::kNoPiece; i = turn_.piece(i).next) {
      for_each_frame({turn_.piece(i).data, turn_.piece(i).size}, visit);
    }
  }

 private:
  template <typename Visit>
  static void for_each_frame(std::span<std::byte> bytes, Visit& visit) {
    while (!bytes.empty()) {
      const Frame frame = Frame::first_of(bytes);
      bytes = bytes.subspan(frame.bytes.size());
      visit(frame);
    }
  }

  void begin_piece(std::span<std::byte> frames);
  void note_sent(std::size_t sent);
  std::size_t frame_end_after(std::size_t sent) const;

  TurnMemory& turn_;
  ByteQueue rest_;
  std::size_t first_frame_left_ = 0;  // bytes in front that belong to a frame half sent
  std::size_t turn_size_ = 0;
  std::uint32_t first_ = TurnMemory::kNoPiece;
  std::uint32_t last_ = TurnMemory::kNoPiece;
};

}  // namespace skiff::forwarder
