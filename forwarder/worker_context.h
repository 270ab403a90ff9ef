#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "forwarder/access_log.h"
#include "forwarder/event_loop.h"
#include "forwarder/forwarder.h"
#include "forwarder/frame_connection.h"
#include "forwarder/log_limiter.h"
#include "forwarder/metric_interfaces.h"
#include "forwarder/metrics.h"
#include "forwarder/random_source.h"
#include "forwarder/traffic_table.h"

namespace skiff::forwarder {

// What the parts of one worker share. Lives on its worker's thread.
struct WorkerContext {
  WorkerContext(const ForwarderConfig& forwarder_config, ForwarderObserver& forwarder_observer,
                EventLoop& event_loop, MetricInterfaces& interfaces, std::uint64_t seed,
                LineRing* access_log_ring = nullptr)
      : config(forwarder_config),
        observer(forwarder_observer),
        loop(event_loop),
        traffic(interfaces),
        access_log(config.access_log, access_log_ring),
        random(seed) {}

  const ForwarderConfig& config;
  ForwarderObserver& observer;
  EventLoop& loop;
  Counters counters;
  TrafficTable traffic;
  AccessLog access_log;
  LogLimiter log;
  // Connections that closed in this turn; destroyed at its end, since events and callers may still
  // hold them.
  std::vector<std::unique_ptr<FrameConnection>> closed;
  RandomSource random;
};

}  // namespace skiff::forwarder
