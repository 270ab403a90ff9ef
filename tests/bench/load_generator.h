#pragma once

#include <sys/types.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "dubbo/result.h"
#include "forwarder/socket.h"
#include "tests/bench/histogram.h"
#include "tests/bench/messages.h"

namespace skiff::bench {

struct LoadOptions {
  forwarder::SocketAddress target;
  CallTemplate call;
  // Over 1: requests go round this many interfaces, which are call.interface with 0, 1, ... behind.
  unsigned interfaces = 1;
  unsigned connections = 64;
  // Closed loop: every connection has this many requests on the way all the time. Open loop: at
  // most this many; those that are due then wait, and their waiting counts as latency.
  unsigned in_flight = 1;
  // Open loop: this many requests a second over all connections, evenly spaced. 0: closed loop.
  double rate = 0;
  std::chrono::milliseconds warmup{300};  // load that is not measured
  std::chrono::milliseconds duration{5000};
  std::uint64_t requests = 0;  // ends the measurement after this many answers; 0: only time does
  std::vector<pid_t> cpu_of;   // processes whose CPU time is looked at
  // Ends the measurement once it is true; it must outlive the call.
  const std::atomic<bool>* stop = nullptr;
};

struct LoadResult {
  std::chrono::nanoseconds measured{0};
  std::uint64_t answers = 0;  // within the measured time, with status 20
  // Of the requests that were due within the measured time, in ns. Closed loop: since it was
  // written; open loop: since it was due.
  Histogram latency;

  // Whatever went wrong, in the warm-up too.
  std::map<unsigned, std::uint64_t> other_statuses;  // answers by a status that is not 20
  std::uint64_t unknown_ids = 0;                     // answers to nothing that was asked, or twice
  std::uint64_t lost = 0;                            // requests that nobody answered
  std::uint64_t broken_connections = 0;              // closed by the peer, or not made of frames

  std::map<pid_t, std::chrono::microseconds> cpu;  // within the measured time
  std::chrono::microseconds own_cpu{0};

  std::uint64_t errors() const;
};

// Loads one target from one thread, and returns when every request has been answered or given up.
// Fails where the target cannot be reached, a process of `cpu_of` does not exist, or more than a
// million requests are due and unsent.
Result<LoadResult> run_load(const LoadOptions& options);

}  // namespace skiff::bench
