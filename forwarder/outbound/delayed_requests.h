#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>

#include "forwarder/outbound/held_requests.h"
#include "forwarder/timer_wheel.h"
#include "forwarder/worker_context.h"

namespace skiff::forwarder {

// Requests that go on later: those that filters delay, and those of cluster=failback that failed.
// Bounded in number and bytes. Lives on its worker's thread.
class DelayedRequests {
 public:
  struct Limits {
    std::size_t requests;
    std::size_t frame_bytes;  // of all of them
  };
  // Called with each request whose delay is over; may add().
  using Due = std::function<void(const HeldRequest&)>;

  DelayedRequests(WorkerContext& context, Limits limits, Due due);

  bool has_room_for(std::size_t frame_bytes) const;
  // Only where there is room.
  void add(std::chrono::milliseconds delay, HeldRequest request);

  std::size_t size() const { return waiting_.size(); }

 private:
  void on_timer();
  void arm();

  WorkerContext& context_;
  const Limits limits_;
  Due due_;
  std::multimap<TimePoint, HeldRequest> waiting_;  // by when they are due
  std::size_t bytes_ = 0;
  Timer timer_;  // of the first one
};

}  // namespace skiff::forwarder
