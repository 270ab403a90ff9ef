#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <string>
#include <string_view>

#include "forwarder/outbound/held_requests.h"
#include "forwarder/text_map.h"
#include "forwarder/worker_context.h"

namespace skiff::forwarder {

// A request none of whose providers can be connected to.
struct WaitingRequest {
  HeldRequest request;
  TimePoint until;
  std::string why;  // what the answer says when its time is over
};

// Requests that wait until a provider can be connected to again, by interface: an agent that is
// restarted is back in a moment. Every kReconnectPause the first of each interface tries to
// connect, whatever is known of its providers; the others follow where it is of use. Bounded in
// number and bytes. Lives on its worker's thread.
class WaitingRequests {
 public:
  // What it asks of its owner, which may add() from within try_again().
  class Owner {
   public:
    virtual ~Owner() = default;
    // Whether a provider of the interface may be connected to.
    virtual bool may_reach(const std::string& interface) = 0;
    // `tries_any`: also one that could not be connected to a moment ago.
    virtual void try_again(const WaitingRequest& waiting, bool tries_any) = 0;
    virtual void on_wait_over(const WaitingRequest& waiting) = 0;
  };

  WaitingRequests(WorkerContext& context, Owner& owner);

  // False where a limit is reached, or its time is over before the next attempt.
  bool add(std::string_view interface, WaitingRequest waiting);

  std::size_t size() const { return count_; }

 private:
  void on_timer();
  void look_after(const std::string& interface, std::deque<WaitingRequest> group);
  void keep(std::string_view interface, WaitingRequest waiting);

  WorkerContext& context_;
  Owner& owner_;
  TextMap<std::deque<WaitingRequest>> groups_;
  std::size_t count_ = 0;
  std::size_t bytes_ = 0;
  Timer timer_;  // runs while there are any
};

}  // namespace skiff::forwarder
