#include "agent/local_drain.h"

#include <set>
#include <thread>
#include <vector>

namespace skiff::agent {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

// Silence for so long counts as the end of traffic: consumers learn from the registry in less.
constexpr std::chrono::milliseconds kQuietTime = 500ms;
constexpr auto kPollInterval = 20ms;

bool is_to_leave(const registry::PublicationStatus& status) {
  return status.suspended || status.drained;
}

std::vector<std::uint16_t> ports_to_drain(ControlClient& control) {
  const auto publications =
      control.ask([](registry::ControlPlane& plane) { return plane.publications(); });
  if (!publications) return {};
  std::set<std::uint16_t> ports;
  for (const auto& status : *publications) {
    if (is_to_leave(status)) ports.insert(status.port);
  }
  for (const auto& status : *publications) {
    if (!is_to_leave(status)) ports.erase(status.port);
  }
  return {ports.begin(), ports.end()};
}

// Asks until `is_reached` or the deadline; returns what was last heard.
template <typename Condition>
forwarder::LocalTraffic wait_for(ApiBackend& backend, const std::vector<std::uint16_t>& ports,
                                 Clock::time_point deadline, Condition is_reached) {
  while (true) {
    const forwarder::LocalTraffic traffic = backend.local_traffic(ports, kQuietTime);
    const bool is_over = Clock::now() >= deadline || backend.is_stopping();
    if (is_over || (traffic.is_complete && is_reached(traffic))) return traffic;
    std::this_thread::sleep_for(kPollInterval);
  }
}

bool is_quiet(const forwarder::LocalTraffic& traffic) { return traffic.quiet_for >= kQuietTime; }

bool is_drained(const forwarder::LocalTraffic& traffic) {
  return traffic.is_complete && traffic.in_flight == 0 && is_quiet(traffic);
}

}  // namespace

LocalDrain drain_local_traffic(ControlClient& control, ApiBackend& backend,
                               Clock::time_point deadline) {
  const std::vector<std::uint16_t> ports = ports_to_drain(control);
  if (!ports.empty()) {
    const auto now = Clock::now();
    wait_for(backend, ports, now + (deadline - now) / 2, is_quiet);
  }
  control.ask([](registry::ControlPlane& plane) {
    plane.tell_consumers_to_leave();
    return true;
  });
  if (ports.empty()) return {};
  const forwarder::LocalTraffic traffic = wait_for(backend, ports, deadline, is_drained);
  LocalDrain drain{.in_flight = traffic.in_flight, .left = {}};
  if (is_drained(traffic)) return drain;
  if (!traffic.is_complete) {
    drain.left = "the workers did not say in time what is in flight";
  } else if (traffic.in_flight > 0) {
    drain.left = std::to_string(traffic.in_flight) + " requests are still in flight";
  } else {
    drain.left = "consumers still send requests: they may know no other provider";
  }
  return drain;
}

}  // namespace skiff::agent
