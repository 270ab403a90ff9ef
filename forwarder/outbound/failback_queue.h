#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <utility>

#include "forwarder/outbound/held_requests.h"
#include "forwarder/timer_wheel.h"
#include "forwarder/worker_context.h"

namespace skiff::forwarder {

// Requests that failed, were answered with null, and are sent again kFailbackPause later. Bounded
// in number and bytes. Lives on its worker's thread.
class FailbackQueue {
 public:
  // Called with each request whose pause is over.
  using Due = std::function<void(const HeldRequest&)>;

  FailbackQueue(WorkerContext& context, Due due);

  // False where a limit is reached.
  bool add(HeldRequest request);

  std::size_t size() const { return waiting_.size(); }

 private:
  struct Waiting {
    TimePoint due;
    HeldRequest request;
  };
  void on_timer();
  void arm();

  WorkerContext& context_;
  Due due_;
  std::deque<Waiting> waiting_;  // in the order in which they are due
  std::size_t bytes_ = 0;
  Timer timer_;  // of the first one
};

}  // namespace skiff::forwarder
