#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "agent/api_backend.h"
#include "agent/control_client.h"

namespace skiff::agent {

// What is left of the traffic for providers that consumers are to leave.
struct LocalDrain {
  std::uint64_t in_flight = 0;  // requests that providers have not answered
  std::string left;             // why it is not over; empty where it is
};

// Traffic for providers that are about to stop, or whose agent is drained: waits until their
// consumers have turned elsewhere, tells those that have not (READONLY), and waits until nothing is
// in flight and nothing more comes. Ports that another publication goes on using are not waited
// for: requests are told apart by port. Returns by `deadline`. On an HTTP thread.
LocalDrain drain_local_traffic(ControlClient& control, ApiBackend& backend,
                               std::chrono::steady_clock::time_point deadline);

}  // namespace skiff::agent
