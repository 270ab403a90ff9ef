#include "agent/metrics_page.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <array>
#include <limits>
#include <map>

#include "agent/version.h"
#include "forwarder/metrics.h"

namespace skiff::agent {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::vector<ClientMetric::Label>;

enum Metric : std::size_t {
  kBuildInfo,
  kReady,
  kRegistryConnected,
  kPublications,
  kPublicationHealth,
  kHealthChecks,
  kHealthChanges,
  kLeasesEnded,
  kSubscriptions,
  kSubscriptionProviders,
  kListsFrozen,
  kListsWaiting,
  kListsStale,
  kProvidersHeld,
  kListsReceived,
  kListsApplied,
  kListsGoneStale,
  kStaleListsEnded,
  kListBrakes,
  kHeldFoundDead,
  kHeldTooLong,
  kEndpointProbes,
  kDeafWatches,
  kLostNodes,
  kLostSessions,
  kWaitingWrites,
  kRuleUrls,
  kRuleDocuments,
  kRuleChanges,
  kRuleFailures,
  kRulesOverLimits,
  kRulesBroken,
  kApplicationFaults,
  kRouteUpdates,
  kApiRequests,
  kStateStored,
  kStateWrites,
  kStateWriteFailures,
  kStateFilesSetAside,
  kMethodRequests,
  kMethodFailures,
  kEndpoints,
  kMetricCount
};

constexpr std::array<AgentMetric, kMetricCount> kMetrics = {{
    {"skiff_build_info", "Always 1; the labels say which program this is", false},
    {"skiff_ready", "1 where GET /readyz says ready", false},
    {"skiff_registry_connected", "1 where the session of this registry stands", false},
    {"skiff_publications", "Publications of this agent by state", false},
    {"skiff_publication_health", "Publications of this agent by health of their provider", false},
    {"skiff_health_checks_total", "Health checks of local providers by result", true},
    {"skiff_health_changes_total",
     "Times that a publication had to leave the registry, or may be in it, for its health", true},
    {"skiff_leases_ended_total", "Publications withdrawn because they were not renewed", true},
    {"skiff_subscriptions", "Subscriptions of this agent by state and origin", false},
    {"skiff_subscription_providers", "Providers of all subscriptions together", false},
    {"skiff_lists_frozen", "1 where changes of lists of providers are not applied", false},
    {"skiff_lists_waiting", "Lists that have changed since the freeze", false},
    {"skiff_lists_stale", "Services without any listed provider whose last list is in use", false},
    {"skiff_providers_held", "Providers in use that no registry lists any more", false},
    {"skiff_lists_received_total", "Lists of providers that came from registries", true},
    {"skiff_lists_applied_total", "Lists of providers given to the workers", true},
    {"skiff_lists_gone_stale_total", "Lists that became empty; the last one stayed in use", true},
    {"skiff_stale_lists_ended_total", "Stale lists believed to be empty in the end", true},
    {"skiff_list_brakes_total", "Times that too many providers of a service vanished at once",
     true},
    {"skiff_held_providers_dead_total", "Held providers that a probe found dead", true},
    {"skiff_held_providers_expired_total", "Held providers let go since their time was over", true},
    {"skiff_endpoint_probes_total", "Probes of held providers by result", true},
    {"skiff_registry_deaf_watches_total", "Changes of lists that no event of a registry told",
     true},
    {"skiff_registry_lost_nodes_total", "Own nodes found missing, or owned by others", true},
    {"skiff_registry_lost_sessions_total", "Sessions that ended with their nodes", true},
    {"skiff_registry_waiting_writes", "Own nodes that wait to be written or deleted", false},
    {"skiff_rule_urls", "Rule URLs in registries that concern this agent", false},
    {"skiff_rule_documents", "Rule documents in registries that concern this agent", false},
    {"skiff_rule_changes_total", "Changes of rules that concern this agent", true},
    {"skiff_rule_failures_total", "Readings of rules that failed, or were over a limit", true},
    {"skiff_rules_over_limits_total", "Readings of rules among them that were over a limit", true},
    {"skiff_rules_broken", "Rules that are not in force as they are written", false},
    {"skiff_registry_application_faults_total",
     "What was wrong where providers are registered by application, by fault", true},
    {"skiff_route_update_seconds", "From a registry's event to the last worker that had applied it",
     false},
    {"skiff_api_requests_total", "Requests to the HTTP API by route and status code", true},
    {"skiff_state_stored", "1 where a restart would find the present state", false},
    {"skiff_state_writes_total", "Writes of files in the state folder", true},
    {"skiff_state_write_failures_total", "Writes among them that failed", true},
    {"skiff_state_files_set_aside_total", "Files of the state folder that could not be used", true},
    {"skiff_requests_total", "Requests on the outbound port by service and method", true},
    {"skiff_request_failures_total",
     "Requests among them that the agent answered itself with an error", true},
    {"skiff_endpoints", "Endpoints of services that were called, by state of their connection",
     false},
}};

MetricFamily family_of(std::string_view name, std::string_view help, bool is_counter) {
  MetricFamily family;
  family.name = std::string(name);
  family.help = std::string(help);
  family.type = is_counter ? MetricType::Counter : MetricType::Gauge;
  return family;
}

MetricFamily family_of(Metric metric) {
  const AgentMetric& info = kMetrics[metric];
  return family_of(info.name, info.help, info.is_counter);
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

MetricFamily route_updates(const MetricsInput& input) {
  MetricFamily family = family_of(kRouteUpdates);
  family.type = MetricType::Histogram;
  ClientMetric metric;
  metric.histogram.sample_sum = input.route_updates.seconds;
  for (std::size_t i = 0; i < input.route_updates.counts.size(); ++i) {
    metric.histogram.sample_count += input.route_updates.counts[i];
    const bool is_last = i == LatencyHistogram::kBounds.size();
    metric.histogram.bucket.push_back({.cumulative_count = metric.histogram.sample_count,
                                       .upper_bound = is_last
                                                          ? std::numeric_limits<double>::infinity()
                                                          : LatencyHistogram::kBounds[i]});
  }
  family.metric.push_back(std::move(metric));
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

void add_methods(const MetricsInput& input, std::vector<MetricFamily>& families) {
  MetricFamily requests = family_of(kMethodRequests);
  MetricFamily failures = family_of(kMethodFailures);
  for (const auto& [interface, methods] : input.traffic.methods) {
    for (const auto& [method, traffic] : methods) {
      const Labels labels = {{"interface", interface}, {"method", method}};
      add(requests, labels, number(traffic.requests));
      add(failures, labels, number(traffic.failures));
    }
  }
  families.push_back(std::move(requests));
  families.push_back(std::move(failures));
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
                    const std::map<std::string, std::uint64_t>& values, bool are_counters,
                    std::vector<MetricFamily>& families) {
  for (const forwarder::MetricInfo& info : infos) {
    const auto value = values.find(std::string(info.name));
    MetricFamily family = family_of("skiff_" + std::string(info.name), info.help, are_counters);
    add(family, {}, value == values.end() ? 0 : number(value->second));
    families.push_back(std::move(family));
  }
}

}  // namespace

std::span<const AgentMetric> agent_metrics() { return kMetrics; }

std::string metrics_text(const MetricsInput& input) {
  std::vector<MetricFamily> families = {build_info(),
                                        ready(input),
                                        registry_connected(input),
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
  add_methods(input, families);
  families.push_back(endpoints(input));
  add_data_plane(forwarder::counter_infos(), input.traffic.counters, true, families);
  add_data_plane(forwarder::gauge_infos(), input.traffic.gauges, false, families);
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace skiff::agent
