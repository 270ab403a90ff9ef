#pragma once

#include <sys/epoll.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "dubbo/result.h"
#include "forwarder/buffer_pool.h"
#include "forwarder/socket.h"
#include "forwarder/timer_wheel.h"
#include "forwarder/turn_memory.h"

namespace skiff::forwarder {

// A descriptor's owner.
class EventHandler {
 public:
  virtual ~EventHandler() = default;
  // `events` is epoll's mask; edge-triggered: what is not read now is not announced again (see
  // EventLoop::revisit).
  virtual void on_events(std::uint32_t events) = 0;
  // At the end of a turn, after EventLoop::mark_dirty(): writes, and copies what could not be
  // written, for the turn's memory is released.
  virtual void on_flush() {}
};

// One worker's epoll loop: events mark work, work is done in batches, every connection touched is
// flushed once per turn (more often only where a turn reads more than its memory holds). Lives on
// its worker's thread, wake() excepted.
class EventLoop {
 public:
  static Result<std::unique_ptr<EventLoop>> create();

  // Watches `fd` for reading and writing, edge-triggered, until remove(), or until it and all its
  // duplicates, also those of other processes, are closed. Fails where the kernel refuses.
  Result<void> add(int fd, EventHandler& handler);

  // Watches it no more; it stays open.
  void remove(int fd);

  // handler.on_flush() is called once at the end of this turn, however often this was called.
  void mark_dirty(EventHandler& handler) { dirty_.push_back(&handler); }
  // handler.on_events(EPOLLIN) is called in the next turn: its socket may hold more than it was
  // allowed to read.
  void revisit(EventHandler& handler) { revisit_.push_back(&handler); }
  // Forgets marks of a handler that is about to go.
  void forget(EventHandler& handler);

  // The time of this turn.
  TimePoint now() const { return now_; }
  void arm(Timer& timer, std::chrono::milliseconds delay) { timers_.arm(timer, now_, delay); }
  BufferPool& buffers() { return buffers_; }
  TurnMemory& turn_memory() { return turn_memory_; }
  // Called before a read, with nothing on the stack that refers to the turn's memory: writes the
  // output where that is full, which may close any connection, the caller's too.
  void make_read_room() {
    if (!turn_memory_.has_read_room()) flush();
  }

  // Waits for events and does one turn: events, revisits, timers; `after` is called before the
  // flush.
  template <typename After>
  void turn(After&& after) {
    wait_and_dispatch();
    after();
    flush();
  }

  // Ends a wait, from any thread.
  void wake();
  // True once after wake() was called.
  bool take_wakeup();

 private:
  EventLoop(Fd epoll, Fd wakeup);
  void wait_and_dispatch();
  void flush();

  static constexpr std::size_t kEventsPerTurn = 256;

  Fd epoll_;
  Fd wakeup_;
  bool woken_ = false;
  bool flushing_ = false;
  TimePoint now_;
  TimerWheel timers_;
  BufferPool buffers_;
  std::array<epoll_event, kEventsPerTurn> events_{};
  TurnMemory turn_memory_{buffers_};
  std::vector<EventHandler*> dirty_;
  std::vector<EventHandler*> revisit_;
  std::vector<EventHandler*> batch_;
};

}  // namespace skiff::forwarder
