#pragma once

#include <atomic>
#include <cstdint>

namespace skiff::forwarder {

// Where a connection stands, in memory that outlives the process: who takes the connection up after
// a crash must know whether the next bytes begin a frame, either way. Written by the connection's
// worker, which may be killed between any two of its instructions.
struct alignas(64) StreamMark {
  std::atomic<std::uint64_t> connection{0};  // the socket's cookie (SO_COOKIE); 0: none
  // Known to be in the middle of a frame that was read, or written, in part.
  std::atomic<bool> is_within_frame{false};
  // Frames end at these positions of what is written (stream_position.h), where the last write
  // began and where it was to end: where the kernel took less, the stream stands at neither.
  std::atomic<std::uint64_t> write_begin{0};
  std::atomic<std::uint64_t> write_end{0};

  bool is_at_boundary(std::uint64_t written) const {
    return !is_within_frame && (written == write_begin || written == write_end);
  }
};
static_assert(std::atomic<std::uint64_t>::is_always_lock_free &&
              std::atomic<bool>::is_always_lock_free);

// Keeps duplicates of connections outside of the process. A connection that is kept stays open
// where its descriptor is closed: to end it, it is shut down. Any thread may call; calls return at
// once.
class ConnectionStore {
 public:
  virtual ~ConnectionStore() = default;
  // Keeps it; `fd` must stay open until one of the others is called. Null where it is not kept.
  virtual StreamMark* keep(int fd) = 0;
  // It has been shut down: frees its place.
  virtual void forget(StreamMark& mark) = 0;
  // It goes on with another process; its mark stays as it is.
  virtual void leave(StreamMark& mark) = 0;
};

}  // namespace skiff::forwarder
