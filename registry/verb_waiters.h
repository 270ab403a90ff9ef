#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "registry/alive.h"
#include "registry/control_plane.h"
#include "registry/executor.h"

namespace skiff::registry {

// API calls that wait until what they asked for is confirmed, or until they have waited long
// enough. Lives on the control thread.
class VerbWaiters {
 public:
  // How far the matter is now; kPending means: not settled.
  using Probe = std::function<VerbOutcome()>;

  // `executor` must outlive it.
  explicit VerbWaiters(Executor& executor) : executor_(executor) {}

  // Calls `done` exactly once: now, if the probe says that it is settled or kMaxWaitingVerbs calls
  // wait; else from check(subject) or after `wait`.
  void add(const std::string& subject, std::chrono::milliseconds wait, Probe probe,
           VerbCallback done);
  // Something about `subject` changed: answers those whose matter is settled now.
  void check(const std::string& subject);

 private:
  struct Waiter {
    std::uint64_t id;
    Probe probe;
    VerbCallback done;
  };
  void give_up(const std::string& subject, std::uint64_t id);

  Executor& executor_;
  Alive alive_;
  std::uint64_t next_id_ = 0;
  std::multimap<std::string, Waiter> waiters_;
};

}  // namespace skiff::registry
