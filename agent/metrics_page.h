#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "agent/access_log_writer.h"
#include "agent/api_metrics.h"
#include "agent/descriptor_store.h"
#include "agent/latency_histogram.h"
#include "agent/process_figures.h"
#include "agent/state_report.h"
#include "forwarder/forwarder.h"
#include "registry/control_plane.h"

namespace skiff::agent {

// What GET /metrics is made from. The metrics themselves are declared in metric_list.h.
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
  AccessLogCounts access_log;
  DescriptorStore::Counts stored;
  ProcessFigures process;
  double last_change_seconds = 0;  // since 1970; 0: never
  bool ready = false;
  bool drained = false;
  std::uint64_t upgrades_failed = 0;
};

// Prometheus text format 0.0.4.
std::string metrics_text(const MetricsInput& input);

}  // namespace skiff::agent
