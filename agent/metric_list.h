#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace skiff::agent {

// Every metric that is not of the data plane: X(enumerator, name, kind, labels, help). Labels are
// as the manual shows them. The data plane's are in forwarder/metrics.h, outcomes in
// forwarder/outcome.h. docs/metrics.md is made from these lists (scripts/metrics-manual).
// clang-format off
#define SKIFF_AGENT_METRICS(X) \
  X(kBuildInfo, "skiff_build_info", kGauge, "`version`, `commit`", "Always 1") \
  X(kReady, "skiff_ready", kGauge, "", "1 where `GET /readyz` says ready") \
  X(kDrained, "skiff_drained", kGauge, "", "1 where the machine is taken out of service (`skiff drain`): no publication is in a registry, and `skiff_ready` is 0") \
  X(kUpgradesFailed, "skiff_upgrades_failed_total", kCounter, "", "Upgrades in place that did not come about: this process went on") \
  X(kRegistryConnected, "skiff_registry_connected", kGauge, "`registry`", "1 where the session of this registry stands") \
  X(kRegistryLastChange, "skiff_registry_last_change_timestamp_seconds", kGauge, "", "When a list of providers, or the rules of a service, was last given to the workers, in seconds since 1970; 0: never") \
  X(kPublications, "skiff_publications", kGauge, "`state`: `registered`, `pending`", "Publications of this agent") \
  X(kPublicationHealth, "skiff_publication_health", kGauge, "`health`: `unchecked`, `starting`, `up`, `down`, `recovering`", "Publications by health of their provider") \
  X(kHealthChecks, "skiff_health_checks_total", kCounter, "`result`: `passed`, `failed`, `not_made` (for want of descriptors or memory of the agent)", "Health checks of local providers") \
  X(kHealthChanges, "skiff_health_changes_total", kCounter, "`to`: `up`, `down`", "Times that a publication may be in the registry from then on, or had to leave it, for its health") \
  X(kLeasesEnded, "skiff_leases_ended_total", kCounter, "", "Publications withdrawn because they were not renewed") \
  X(kSubscriptions, "skiff_subscriptions", kGauge, "`state`: `subscribed`, `pending`; `origin`: `api`, `on_demand`", "Subscriptions of this agent") \
  X(kSubscriptionProviders, "skiff_subscription_providers", kGauge, "", "Providers of all subscriptions together") \
  X(kListsFrozen, "skiff_lists_frozen", kGauge, "", "1 where changes of lists of providers are not applied (`POST /freeze`)") \
  X(kListsWaiting, "skiff_lists_waiting", kGauge, "", "Lists that have changed since the freeze") \
  X(kListsStale, "skiff_lists_stale", kGauge, "", "Services without any listed provider whose last list is in use") \
  X(kProvidersHeld, "skiff_providers_held", kGauge, "", "Providers in use that no registry lists any more") \
  X(kListsReceived, "skiff_lists_received_total", kCounter, "", "Lists of providers that came from registries") \
  X(kListsApplied, "skiff_lists_applied_total", kCounter, "", "Lists of providers given to the workers, for a change of rules too: one rebuild of a route each") \
  X(kListsGoneStale, "skiff_lists_gone_stale_total", kCounter, "", "Lists that became empty; the last one stayed in use") \
  X(kStaleListsEnded, "skiff_stale_lists_ended_total", kCounter, "", "Stale lists believed to be empty in the end") \
  X(kListBrakes, "skiff_list_brakes_total", kCounter, "", "Times that too many providers of a service vanished at once") \
  X(kHeldFoundDead, "skiff_held_providers_dead_total", kCounter, "", "Held providers that a probe found dead") \
  X(kHeldTooLong, "skiff_held_providers_expired_total", kCounter, "", "Held providers let go since their time was over") \
  X(kEndpointProbes, "skiff_endpoint_probes_total", kCounter, "`result`: `answers`, `gone` (refused, or no Dubbo), `silent`, `unknown` (this machine could not try)", "Probes of held providers") \
  X(kDeafWatches, "skiff_registry_deaf_watches_total", kCounter, "", "Changes of lists and rules that no event of a registry told") \
  X(kLostNodes, "skiff_registry_lost_nodes_total", kCounter, "", "Own nodes found missing, or owned by others, and written again") \
  X(kLostSessions, "skiff_registry_lost_sessions_total", kCounter, "", "Sessions that ended, and all own nodes with them; all were written again") \
  X(kWaitingWrites, "skiff_registry_waiting_writes", kGauge, "", "Own nodes that wait for their turn to be created or deleted: a registry gets 100 at once, then 500 a second") \
  X(kRuleUrls, "skiff_rule_urls", kGauge, "", "Rule URLs (`configurators`, `routers`) in registries that concern this agent") \
  X(kRuleDocuments, "skiff_rule_documents", kGauge, "", "Documents of config centres (`/dubbo/config/dubbo`) that concern this agent") \
  X(kRuleChanges, "skiff_rule_changes_total", kCounter, "", "Changes of what a registry holds of them") \
  X(kRuleFailures, "skiff_rule_failures_total", kCounter, "", "Readings of rules that failed, or were over a limit; the last known rules stay in use") \
  X(kRulesOverLimits, "skiff_rules_over_limits_total", kCounter, "", "Those over a limit among them: 1 MiB a document and 32 MiB of all, 10,000 documents a registry, 1,000 rule URLs an interface, 256 versions, groups and applications of an interface") \
  X(kRulesBroken, "skiff_rules_broken", kGauge, "", "Rules that are not in force as they are written: what was right before stays in force, `skiff check --rules` says why") \
  X(kApplicationFaults, "skiff_registry_application_faults_total", kCounter, "`fault`: `instance` (its node cannot be read), `metadata` (the list of its services is unreadable, or of another revision), `unanswered` (that list did not come), `limit`, `unwritten` (a node of this agent cannot be written)", "What was wrong where providers are registered by application; each attempt counts") \
  X(kRouteUpdates, "skiff_route_update_seconds", kHistogram, "", "From a registry's event to the last worker that had applied it; only of changes that an event told and that changed a list, or its rules") \
  X(kApiRequests, "skiff_api_requests_total", kCounter, "`route` (`other`: unknown path or method), `code`", "Requests to the HTTP API that reached a route: those with an `Origin` header, or without a clear length, are refused before") \
  X(kStateStored, "skiff_state_stored", kGauge, "", "1 where a restart would find the present state") \
  X(kStateWrites, "skiff_state_writes_total", kCounter, "", "Writes of files in the state folder") \
  X(kStateWriteFailures, "skiff_state_write_failures_total", kCounter, "", "Writes among them that failed") \
  X(kStateFilesSetAside, "skiff_state_files_set_aside_total", kCounter, "", "Files of the state folder that could not be used at the start") \
  X(kAccessLogLines, "skiff_access_log_lines_total", kCounter, "", "Lines of the access log that were written") \
  X(kAccessLogDropped, "skiff_access_log_dropped_total", kCounter, "", "Lines of the access log that were dropped: more came than could be written, or writing failed") \
  X(kStored, "skiff_stored_connections", kGauge, "", "Consumers' connections that systemd keeps, so that they outlive the process, or will where they last for a second") \
  X(kNotStored, "skiff_connections_not_stored_total", kCounter, "", "Consumers' connections that systemd was not given for want of room: they end with the process") \
  X(kProcessCpu, "process_cpu_seconds_total", kCounter, "", "CPU time of the process, in user mode and in the kernel") \
  X(kProcessMemory, "process_resident_memory_bytes", kGauge, "", "Memory of the process that is in RAM") \
  X(kProcessFds, "process_open_fds", kGauge, "", "Open descriptors of the process") \
  X(kProcessFdsMax, "process_max_fds", kGauge, "", "How many these may be") \
  X(kProcessStart, "process_start_time_seconds", kGauge, "", "When the process was started, in seconds since 1970")

// Of the calls that consumers make.
#define SKIFF_CALL_METRICS(X) \
  X(kRequests, "skiff_requests_total", kCounter, "`interface`, `method`, `outcome`", "Requests on the outbound port that have ended, by how; generic calls count for the method that they name") \
  X(kRequestDuration, "skiff_request_duration_seconds", kHistogram, "`interface`", "From reading a request to the end of the turn of the loop that answered it") \
  X(kUpstreamDuration, "skiff_upstream_duration_seconds", kHistogram, "`interface`", "Of that, what the provider that was asked last, and the network to it, took") \
  X(kOwnDuration, "skiff_own_duration_seconds", kHistogram, "`interface`", "The rest of it, which is the agent: with what it waited for providers, and with attempts that failed") \
  X(kEndpoints, "skiff_endpoints", kGauge, "`state`: `connected`, `idle`, `connecting`, `readonly`, `failing`, `down`", "Endpoints of services that were called, by state of their connection")
// clang-format on

enum class MetricKind { kCounter, kGauge, kHistogram };

#define SKIFF_METRIC_ENUMERATOR(id, name, kind, labels, help) id,
enum class Metric : std::size_t {
  SKIFF_AGENT_METRICS(SKIFF_METRIC_ENUMERATOR) SKIFF_CALL_METRICS(SKIFF_METRIC_ENUMERATOR)
};
#undef SKIFF_METRIC_ENUMERATOR

struct MetricSpec {
  std::string name;
  MetricKind kind;
  std::string_view labels;
  std::string_view help;
};

// The specification of one of the agent's own.
const MetricSpec& spec_of(Metric metric);
// All of them: the agent's, those of calls, the data plane's.
std::vector<MetricSpec> all_metrics();

// docs/metrics.md with the tables that are made from the lists in place of those in `manual`: each
// stands between "<!-- table: NAME -->" and "<!-- end -->", NAME being agent, calls, outcomes or
// data-plane.
std::string with_metric_tables(std::string manual);

}  // namespace skiff::agent
