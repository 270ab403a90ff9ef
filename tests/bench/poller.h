#pragma once

#include <sys/epoll.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "dubbo/bytes.h"
#include "dubbo/result.h"
#include "forwarder/socket.h"

namespace skiff::bench {

using Clock = std::chrono::steady_clock;
using TimePoint = Clock::time_point;

// A descriptor's owner.
class EventHandler {
 public:
  virtual ~EventHandler() = default;
  // `events` is epoll's mask, level-triggered.
  virtual void on_events(std::uint32_t events) = 0;
};

// epoll for one thread. Deliberately not the loop of forwarder/: that one is what gets measured.
class Poller {
 public:
  static Result<Poller> create();

  // Watches `fd` for `events` from now on, until it is closed; `handler` must live as long.
  Result<void> add(int fd, EventHandler& handler, std::uint32_t events);
  void change(int fd, EventHandler& handler, std::uint32_t events);

  // Waits until something happens or `until`, then calls the handlers. A handler must not be
  // destroyed while this runs.
  void turn(TimePoint until);
  // The same without an end.
  void turn() { turn(TimePoint::max()); }

  // Bytes that any handler may use within one call.
  std::vector<std::byte>& scratch() { return scratch_; }

 private:
  explicit Poller(forwarder::Fd epoll);

  static constexpr std::size_t kEventsPerTurn = 256;
  static constexpr std::size_t kScratchBytes = std::size_t{256} * 1024;

  forwarder::Fd epoll_;
  std::array<epoll_event, kEventsPerTurn> events_{};
  std::vector<std::byte> scratch_;
};

enum class ReadState { kMore, kBlocked, kClosed };
struct ReadResult {
  ReadState state = ReadState::kClosed;
  dubbo::Bytes bytes;  // empty unless kMore; in `room`
};
// One non-blocking read; kClosed at the end of the stream and after an error.
ReadResult read_some(int fd, std::vector<std::byte>& room);

}  // namespace skiff::bench
