#include "agent/metrics_page.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <array>
#include <limits>
#include <map>

#include "agent/metric_list.h"
#include "agent/version.h"
#include "forwarder/metrics.h"

namespace skiff::agent {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using enum Metric;
using Labels = std::vector<ClientMetric::Label>;

MetricFamily family_of(Metric metric) {
  const MetricSpec& spec = spec_of(metric);
  MetricFamily family;
  family.name = spec.name;
  family.help = spec.help;
  switch (spec.kind) {
    case MetricKind::kCounter:
      family.type = MetricType::Counter;
      break;
    case MetricKind::kGauge:
      family.type = MetricType::Gauge;
      break;
    case MetricKind::kHistogram:
      family.type = MetricType::Histogram;
      break;
  }
  return family;
}

void add(MetricFamily& family, Labels labels, double value) {
  ClientMetric metric;
  metric.label = std::move(labels);
  if (family.type == MetricType::Counter) {
    metric.counter.value = value;
  } else {
    metric.gauge.value = value;
  }
  family.metric.push_back(std::move(metric));
}

template <typename Number>
double number(Number value) {
  return static_cast<double>(value);
}

MetricFamily build_info() {
  MetricFamily family = family_of(kBuildInfo);
  add(family, {{"version", std::string(version())}, {"commit", std::string(commit())}}, 1);
  return family;
}

MetricFamily ready(const MetricsInput& input) {
  MetricFamily family = family_of(kReady);
  add(family, {}, input.ready ? 1 : 0);
  return family;
}

MetricFamily drained(const MetricsInput& input) {
  MetricFamily family = family_of(kDrained);
  add(family, {}, input.drained ? 1 : 0);
  return family;
}

MetricFamily upgrades_failed(const MetricsInput& input) {
  MetricFamily family = family_of(kUpgradesFailed);
  add(family, {}, static_cast<double>(input.upgrades_failed));
  return family;
}

MetricFamily registry_connected(const MetricsInput& input) {
  MetricFamily family = family_of(kRegistryConnected);
  for (const auto& status : input.registries) {
    add(family, {{"registry", status.name}}, status.connected ? 1 : 0);
  }
  return family;
}

MetricFamily publications(const MetricsInput& input) {
  const auto registered = std::count_if(input.publications.begin(), input.publications.end(),
                                        [](const auto& status) { return status.registered; });
  MetricFamily family = family_of(kPublications);
  add(family, {{"state", "registered"}}, number(registered));
  add(family, {{"state", "pending"}}, number(input.publications.size()) - number(registered));
  return family;
}

MetricFamily publication_health(const MetricsInput& input) {
  std::map<std::string, std::size_t> counts;
  for (const char* health : {"unchecked", "starting", "up", "down", "recovering"}) {
    counts[health] = 0;
  }
  for (const auto& status : input.publications) ++counts[status.health];
  MetricFamily family = family_of(kPublicationHealth);
  for (const auto& [health, count] : counts) add(family, {{"health", health}}, number(count));
  return family;
}

MetricFamily health_checks(const MetricsInput& input) {
  MetricFamily family = family_of(kHealthChecks);
  add(family, {{"result", "passed"}}, number(input.health.passed));
  add(family, {{"result", "failed"}}, number(input.health.failed));
  add(family, {{"result", "not_made"}}, number(input.health.not_made));
  return family;
}

MetricFamily health_changes(const MetricsInput& input) {
  MetricFamily family = family_of(kHealthChanges);
  add(family, {{"to", "up"}}, number(input.health.registrations));
  add(family, {{"to", "down"}}, number(input.health.withdrawals));
  return family;
}

MetricFamily leases_ended(const MetricsInput& input) {
  MetricFamily family = family_of(kLeasesEnded);
  add(family, {}, number(input.health.leases_ended));
  return family;
}

MetricFamily subscriptions(const MetricsInput& input) {
  MetricFamily family = family_of(kSubscriptions);
  for (const auto& [origin, lists] : {std::pair("api", input.subscriptions.asked_for),
                                      std::pair("on_demand", input.subscriptions.on_demand)}) {
    add(family, {{"state", "subscribed"}, {"origin", origin}}, number(lists.in_hand));
    add(family, {{"state", "pending"}, {"origin", origin}}, number(lists.pending));
  }
  return family;
}

MetricFamily subscription_providers(const MetricsInput& input) {
  MetricFamily family = family_of(kSubscriptionProviders);
  add(family, {}, number(input.subscriptions.providers));
  return family;
}

// The registry side's figures without labels, in the order of the list.
void add_registry(const registry::RegistryMetrics& figures, std::vector<MetricFamily>& families) {
  const std::array<std::pair<Metric, double>, 20> values = {{
      {kListsFrozen, figures.is_frozen ? 1 : 0},
      {kListsWaiting, number(figures.waiting_lists)},
      {kListsStale, number(figures.stale_lists)},
      {kProvidersHeld, number(figures.kept_providers)},
      {kListsReceived, number(figures.lists_received)},
      {kListsApplied, number(figures.lists_applied)},
      {kListsGoneStale, number(figures.lists_gone_stale)},
      {kStaleListsEnded, number(figures.stale_lists_ended)},
      {kListBrakes, number(figures.brakes)},
      {kHeldFoundDead, number(figures.held_found_dead)},
      {kHeldTooLong, number(figures.held_too_long)},
      {kDeafWatches, number(figures.deaf_watches)},
      {kLostNodes, number(figures.lost_nodes)},
      {kLostSessions, number(figures.lost_sessions)},
      {kWaitingWrites, number(figures.waiting_writes)},
      {kRuleUrls, number(figures.rule_urls)},
      {kRuleDocuments, number(figures.rule_documents)},
      {kRuleChanges, number(figures.rule_changes)},
      {kRuleFailures, number(figures.rule_failures)},
      {kRulesOverLimits, number(figures.rules_over_limits)},
  }};
  for (const auto& [metric, value] : values) {
    families.push_back(family_of(metric));
    add(families.back(), {}, value);
  }
  MetricFamily probes = family_of(kEndpointProbes);
  constexpr std::array<const char*, 4> kResults = {"answers", "gone", "silent", "unknown"};
  for (std::size_t i = 0; i < kResults.size(); ++i) {
    add(probes, {{"result", kResults[i]}}, number(figures.probes[i]));
  }
  families.push_back(std::move(probes));
  MetricFamily faults = family_of(kApplicationFaults);
  constexpr std::array<const char*, registry::kApplicationFaults> kFaults = {
      "instance", "metadata", "unanswered", "limit", "unwritten"};
  for (std::size_t i = 0; i < kFaults.size(); ++i) {
    add(faults, {{"fault", kFaults[i]}}, number(figures.application_faults[i]));
  }
  families.push_back(std::move(faults));
}

MetricFamily broken_rules(const MetricsInput& input) {
  MetricFamily family = family_of(kRulesBroken);
  add(family, {}, number(input.broken_rules));
  return family;
}

template <typename Counts, typename Bounds>
void add_histogram(MetricFamily& family, Labels labels, const Counts& counts, const Bounds& bounds,
                   double seconds) {
  ClientMetric metric;
  metric.label = std::move(labels);
  metric.histogram.sample_sum = seconds;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    metric.histogram.sample_count += counts[i];
    metric.histogram.bucket.push_back(
        {.cumulative_count = metric.histogram.sample_count,
         .upper_bound = i == bounds.size() ? std::numeric_limits<double>::infinity() : bounds[i]});
  }
  family.metric.push_back(std::move(metric));
}

MetricFamily route_updates(const MetricsInput& input) {
  MetricFamily family = family_of(kRouteUpdates);
  add_histogram(family, {}, input.route_updates.counts, LatencyHistogram::kBounds,
                input.route_updates.seconds);
  return family;
}

MetricFamily registry_last_change(const MetricsInput& input) {
  MetricFamily family = family_of(kRegistryLastChange);
  add(family, {}, input.last_change_seconds);
  return family;
}

MetricFamily api_requests(const MetricsInput& input) {
  MetricFamily family = family_of(kApiRequests);
  for (const auto& [key, count] : input.api_requests) {
    add(family, {{"route", key.first}, {"code", std::to_string(key.second)}}, number(count));
  }
  return family;
}

void add_state(const StateReport& state, std::vector<MetricFamily>& families) {
  const bool is_stored = !state.folder.empty() && state.problem.empty();
  const std::array<std::pair<Metric, double>, 4> values = {
      {{kStateStored, is_stored ? 1 : 0},
       {kStateWrites, number(state.writes)},
       {kStateWriteFailures, number(state.write_failures)},
       {kStateFilesSetAside, number(state.files_set_aside)}}};
  for (const auto& [metric, value] : values) {
    families.push_back(family_of(metric));
    add(families.back(), {}, value);
  }
}

// An outcome that never was has no series, but for `ok`: of a series that begins with 1, rate()
// does not see that.
MetricFamily requests(const MetricsInput& input) {
  MetricFamily family = family_of(kRequests);
  for (const auto& [interface, methods] : input.traffic.methods) {
    for (const auto& [method, traffic] : methods) {
      for (std::size_t i = 0; i < traffic.ended.size(); ++i) {
        if (traffic.ended[i] == 0 && i > 0) continue;
        add(family,
            {{"interface", interface},
             {"method", method},
             {"outcome", std::string(forwarder::kOutcomes[i].name)}},
            number(traffic.ended[i]));
      }
    }
  }
  return family;
}

void add_durations(const MetricsInput& input, std::vector<MetricFamily>& families) {
  constexpr double kNanoseconds = 1e9;
  std::array<double, forwarder::kDurationBounds.size()> bounds{};
  std::ranges::transform(forwarder::kDurationBounds, bounds.begin(),
                         [](std::uint64_t bound) { return number(bound) / kNanoseconds; });
  MetricFamily total = family_of(kRequestDuration);
  MetricFamily upstream = family_of(kUpstreamDuration);
  MetricFamily own = family_of(kOwnDuration);
  const auto add_one = [&](MetricFamily& family, const std::string& interface,
                           const forwarder::Durations& durations) {
    add_histogram(family, {{"interface", interface}}, durations.counts, bounds,
                  number(durations.nanoseconds) / kNanoseconds);
  };
  for (const auto& [interface, durations] : input.traffic.durations) {
    add_one(total, interface, durations.total);
    add_one(upstream, interface, durations.upstream);
    add_one(own, interface, durations.own);
  }
  families.push_back(std::move(total));
  families.push_back(std::move(upstream));
  families.push_back(std::move(own));
}

void add_counts(const MetricsInput& input, std::vector<MetricFamily>& families) {
  for (const auto& [metric, value] :
       {std::pair(kAccessLogLines, input.access_log.lines),
        std::pair(kAccessLogDropped, input.access_log.dropped),
        std::pair(kStored, input.stored.kept), std::pair(kNotStored, input.stored.not_kept)}) {
    families.push_back(family_of(metric));
    add(families.back(), {}, number(value));
  }
}

void add_process(const ProcessFigures& process, std::vector<MetricFamily>& families) {
  const std::array<std::pair<Metric, double>, 5> values = {
      {{kProcessCpu, process.cpu_seconds},
       {kProcessMemory, number(process.resident_bytes)},
       {kProcessFds, number(process.open_fds)},
       {kProcessFdsMax, number(process.max_fds)},
       {kProcessStart, process.start_time_seconds}}};
  for (const auto& [metric, value] : values) {
    families.push_back(family_of(metric));
    add(families.back(), {}, value);
  }
}

// By state, not by address: machines come and go, and each would leave a time series behind.
MetricFamily endpoints(const MetricsInput& input) {
  std::map<std::string, std::size_t> counts;
  for (const char* state : {"connected", "idle", "connecting", "readonly", "failing", "down"}) {
    counts[state] = 0;
  }
  for (const auto& [address, state] : input.traffic.endpoints) {
    ++counts[state.substr(0, state.find(':'))];
  }
  MetricFamily family = family_of(kEndpoints);
  for (const auto& [state, count] : counts) add(family, {{"state", state}}, number(count));
  return family;
}

void add_data_plane(std::span<const forwarder::MetricInfo> infos,
                    const std::map<std::string, std::uint64_t>& values, MetricType type,
                    std::vector<MetricFamily>& families) {
  for (const forwarder::MetricInfo& info : infos) {
    const auto value = values.find(std::string(info.name));
    MetricFamily family;
    family.name = std::string("skiff_").append(info.name);
    family.help = info.help;
    family.type = type;
    add(family, {}, value == values.end() ? 0 : number(value->second));
    families.push_back(std::move(family));
  }
}

}  // namespace

std::string metrics_text(const MetricsInput& input) {
  std::vector<MetricFamily> families = {build_info(),
                                        ready(input),
                                        drained(input),
                                        upgrades_failed(input),
                                        registry_connected(input),
                                        registry_last_change(input),
                                        publications(input),
                                        publication_health(input),
                                        health_checks(input),
                                        health_changes(input),
                                        leases_ended(input),
                                        subscriptions(input),
                                        subscription_providers(input),
                                        api_requests(input)};
  add_state(input.state, families);
  add_registry(input.registry, families);
  families.push_back(broken_rules(input));
  families.push_back(route_updates(input));
  add_counts(input, families);
  add_process(input.process, families);
  families.push_back(requests(input));
  add_durations(input, families);
  families.push_back(endpoints(input));
  add_data_plane(forwarder::counter_infos(), input.traffic.counters, MetricType::Counter, families);
  add_data_plane(forwarder::gauge_infos(), input.traffic.gauges, MetricType::Gauge, families);
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace skiff::agent
