#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "forwarder/socket.h"

namespace skiff::forwarder {

// One connection in its worker's count, for as long as the ticket exists. Thread-safe.
struct LeaveCount {
  void operator()(std::atomic<std::uint32_t>* count) const {
    count->fetch_sub(1, std::memory_order_relaxed);
  }
};
using ConnectionTicket = std::unique_ptr<std::atomic<std::uint32_t>, LeaveCount>;

// A socket that was accepted, and counts for the worker that it goes to.
struct AcceptedSocket {
  Fd fd;
  ConnectionTicket ticket;
};

// How many connections of one port each worker has or is about to be given. The kernel spreads
// connections over listening sockets by a hash, which can put most of a few on one worker; so who
// accepts one looks here who should have it. Shared by all workers and thread-safe; touched when a
// connection comes or goes, never by a request. Must outlive its tickets.
class ConnectionCounts {
 public:
  explicit ConnectionCounts(std::size_t workers) : open_(workers) {}

  struct Place {
    std::size_t worker;
    ConnectionTicket ticket;
  };
  // Who is to have a connection that worker `accepting` has accepted: itself, unless another has
  // clearly fewer. Where connections only come, no worker gets more than its share, rounded up,
  // plus one.
  Place place(std::size_t accepting);

  // From now on everybody keeps what it accepts: who drains must be given nothing more.
  void stop_handing_over() { hands_over_.store(false, std::memory_order_relaxed); }

 private:
  // A difference of one is none: with it, two workers would hand over every other connection.
  static constexpr std::uint32_t kClearlyFewer = 2;

  std::vector<std::atomic<std::uint32_t>> open_;
  std::atomic<bool> hands_over_{true};
};

}  // namespace skiff::forwarder
