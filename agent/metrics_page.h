#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "agent/api_metrics.h"
#include "agent/latency_histogram.h"
#include "agent/state_report.h"
#include "forwarder/forwarder.h"
#include "registry/control_plane.h"

namespace skiff::agent {

// What GET /metrics is made from.
struct MetricsInput {
  forwarder::TrafficSnapshot traffic;
  std::vector<registry::RegistryStatus> registries;
  std::vector<registry::PublicationStatus> publications;
  registry::SubscriptionCounts subscriptions;
  registry::RegistryMetrics registry;
  LatencyHistogram::Snapshot route_updates;
  registry::HealthCounts health;
  std::size_t broken_rules = 0;  // not in force as they are written
  std::map<ApiCounters::Key, std::uint64_t> api_requests;
  StateReport state;
  bool ready = false;
};

// A metric of the agent's own; those of the data plane are in forwarder/metrics.h.
struct AgentMetric {
  std::string_view name;
  std::string_view help;
  bool is_counter;
};
// All of them; docs/metrics.md has the same names.
std::span<const AgentMetric> agent_metrics();

// Prometheus text format 0.0.4.
std::string metrics_text(const MetricsInput& input);

}  // namespace skiff::agent
