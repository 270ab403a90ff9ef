#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace skiff::forwarder {

// Every counter of the data plane: X(enumerator, name, help). Names are shown with the prefix
// "skiff_". Listed with a macro so that enumerator, name and help cannot drift apart.
#define SKIFF_FORWARDER_COUNTERS(X)                                                                \
  X(kOutboundConnections, "outbound_connections_total",                                            \
    "Connections accepted on the outbound port")                                                   \
  X(kOutboundAdopted, "outbound_connections_adopted_total",                                        \
    "Connections on the outbound port that an earlier process had and handed over")                \
  X(kAnswersOfPredecessor, "outbound_answers_of_predecessor_total",                                \
    "Answers handed to consumers for an earlier process, which had sent their requests")           \
  X(kOutboundForeign, "outbound_foreign_peers_total",                                              \
    "Connections to a local-only outbound port closed because the peer is not this machine")       \
  X(kOutboundRequests, "outbound_requests_total", "Requests read on the outbound port")            \
  X(kOutboundOneWay, "outbound_one_way_total", "Requests among them that want no answer")          \
  X(kOutboundAnswered, "outbound_answered_total", "Provider answers handed to consumers")          \
  X(kOutboundErrors, "outbound_errors_total",                                                      \
    "Error answers made by the agent on the outbound port")                                        \
  X(kServiceNotFound, "outbound_service_not_found_total", "Requests answered with status 60")      \
  X(kNoProvider, "outbound_provider_unreachable_total", "Requests answered with status 80")        \
  X(kRefusedByRule, "outbound_refused_by_rule_total",                                              \
    "Requests among them for which governance rules leave no provider")                            \
  X(kRefusedByFilter, "outbound_refused_by_filter_total", "Requests that a filter answered")       \
  X(kDelayed, "outbound_delayed_total", "Requests that a filter delayed")                          \
  X(kDelaysLeftOut, "outbound_delays_left_out_total",                                              \
    "Requests that a filter did not delay since too many are")                                     \
  X(kEditsLeftOut, "outbound_attachments_left_out_total",                                          \
    "Requests whose attachments could not be changed as filters say")                              \
  X(kMirrored, "outbound_mirrored_total", "Copies of requests that filters sent")                  \
  X(kMirrorFailed, "outbound_mirror_failures_total",                                               \
    "Copies of requests that reached no provider, or were not answered in time")                   \
  X(kTimeouts, "outbound_timeouts_total", "Requests answered with status 31")                      \
  X(kBadRequests, "outbound_bad_requests_total", "Requests answered with status 40")               \
  X(kRefusedByLimit, "outbound_refused_by_limit_total", "Requests answered with status 100")       \
  X(kBadResponses, "outbound_bad_responses_total", "Requests answered with status 50")             \
  X(kOneWayDropped, "outbound_one_way_dropped_total", "One-way requests that reached no provider") \
  X(kHeld, "outbound_held_total", "Requests held until the providers of their service were known") \
  X(kHeldRefused, "outbound_held_refused_total", "Requests refused since too many are held")       \
  X(kWaited, "outbound_waited_total",                                                              \
    "Waits of requests none of whose providers can be connected to")                               \
  X(kRetries, "outbound_retries_total",                                                            \
    "Requests sent to another provider since nothing was sent yet")                                \
  X(kRetriesOfSent, "outbound_retries_of_sent_total",                                              \
    "Requests sent again after their connection was lost, as retries allow")                       \
  X(kRetriesOverBudget, "outbound_retries_over_budget_total",                                      \
    "Requests not sent again since too many of their service were")                                \
  X(kAnsweredNull, "outbound_failures_answered_null_total",                                        \
    "Failed requests answered with null, as cluster=failsafe and failback say")                    \
  X(kFanOutRequests, "outbound_fan_out_requests_total",                                            \
    "Requests sent to several providers at once (forking, broadcast), counted for each of them")   \
  X(kFanOutDropped, "outbound_fan_out_answers_dropped_total",                                      \
    "Answers to forking requests dropped since another provider's came first")                     \
  X(kFailbackSent, "outbound_failback_sent_total",                                                 \
    "Failed requests sent again later, as cluster=failback says")                                  \
  X(kFailbackGivenUp, "outbound_failback_given_up_total",                                          \
    "Failed requests of cluster=failback given up: failed too often, or too many wait")            \
  X(kNotKept, "outbound_retries_not_kept_total",                                                   \
    "Requests sent without a copy to be sent again, since too many copies were kept")              \
  X(kLateAnswers, "outbound_late_answers_total",                                                   \
    "Provider answers dropped: late, repeated, to a one-way request, or with an unknown id")       \
  X(kOrphanedAnswers, "outbound_orphaned_answers_total", "Answers whose consumer had gone")        \
  X(kOutboundPaused, "outbound_consumers_paused_total",                                            \
    "Times that a consumer was not read from until it took its answers")                           \
  X(kSlowConsumers, "outbound_slow_consumers_total",                                               \
    "Consumers closed for not reading their answers")                                              \
  X(kOutboundLost, "outbound_consumers_lost_total",                                                \
    "Consumers whose connection broke or ended in the middle of a frame")                          \
  X(kUpstreamConnects, "upstream_connects_total", "Connections opened to providers")               \
  X(kUpstreamConnectFailures, "upstream_connect_failures_total",                                   \
    "Connections that could not be opened")                                                        \
  X(kUpstreamLost, "upstream_lost_total",                                                          \
    "Provider connections that broke or were closed by the peer")                                  \
  X(kUpstreamEjections, "upstream_ejections_total",                                                \
    "Providers that failed and got no more requests for a while")                                  \
  X(kUpstreamProbes, "upstream_probes_total",                                                      \
    "Requests sent to an ejected provider to see whether it serves again")                         \
  X(kUpstreamEjectedUsed, "upstream_ejected_used_total",                                           \
    "Requests sent to an ejected provider since too many are, or nobody else is there")            \
  X(kUpstreamReadonly, "upstream_readonly_total", "READONLY events from providers")                \
  X(kUpstreamCallbacks, "upstream_callbacks_refused_total",                                        \
    "Requests from providers refused because shared connections cannot carry callbacks")           \
  X(kOutboundReceivedBytes, "outbound_received_bytes_total", "Bytes read from consumers")          \
  X(kOutboundSentBytes, "outbound_sent_bytes_total", "Bytes written to consumers")                 \
  X(kUpstreamReceivedBytes, "upstream_received_bytes_total", "Bytes read from providers")          \
  X(kUpstreamSentBytes, "upstream_sent_bytes_total", "Bytes written to providers")                 \
  X(kInboundReceivedBytes, "inbound_received_bytes_total", "Bytes read on the inbound port")       \
  X(kInboundSentBytes, "inbound_sent_bytes_total", "Bytes written on the inbound port")            \
  X(kProviderReceivedBytes, "inbound_provider_received_bytes_total",                               \
    "Bytes read from the local provider")                                                          \
  X(kProviderSentBytes, "inbound_provider_sent_bytes_total",                                       \
    "Bytes written to the local provider")                                                         \
  X(kHeartbeatsAnswered, "heartbeats_answered_total", "Heartbeats of peers that were answered")    \
  X(kHeartbeatsSent, "heartbeats_sent_total", "Heartbeats sent to silent providers")               \
  X(kRepliesLeftOut, "replies_left_out_total",                                                     \
    "Heartbeats and callbacks of providers not answered since these take nothing")                 \
  X(kForeignProtocol, "foreign_protocol_total",                                                    \
    "Connections closed because their bytes are no Dubbo frame")                                   \
  X(kOversized, "oversized_frames_total", "Frames over the body limit")                            \
  X(kAcceptFailures, "accept_failures_total", "Connections that could not be accepted")            \
  X(kConnectionsRefused, "connections_refused_total",                                              \
    "Connections closed as they came since their worker has too many")                             \
  X(kHandedOver, "connections_handed_over_total",                                                  \
    "Connections that the worker which accepted them gave to one with fewer")                      \
  X(kInboundConnections, "inbound_connections_total", "Connections accepted on the inbound port")  \
  X(kInboundAdopted, "inbound_connections_adopted_total",                                          \
    "Connections on the inbound port that an earlier process had and handed over")                 \
  X(kInboundRequests, "inbound_requests_total", "Requests read on the inbound port")               \
  X(kInboundOneWayDropped, "inbound_one_way_dropped_total",                                        \
    "One-way requests that did not reach the local provider")                                      \
  X(kInboundAnswered, "inbound_answered_total", "Answers of the local provider handed on")         \
  X(kInboundErrors, "inbound_errors_total", "Error answers made by the agent on the inbound port") \
  X(kInboundNoProvider, "inbound_provider_unreachable_total",                                      \
    "Inbound requests answered with status 80")                                                    \
  X(kInboundProviderDown, "inbound_provider_down_total",                                           \
    "Inbound requests among them refused because the provider fails its health checks")            \
  X(kInboundReadonly, "inbound_readonly_total",                                                    \
    "Inbound connections told READONLY because all their providers are down")                      \
  X(kInboundTimeouts, "inbound_timeouts_total", "Inbound requests answered with status 31")        \
  X(kInboundBadRequests, "inbound_bad_requests_total", "Inbound requests answered with status 40") \
  X(kInboundRefusedByLimit, "inbound_refused_by_limit_total",                                      \
    "Inbound requests answered with status 100")                                                   \
  X(kInboundBadResponses, "inbound_bad_responses_total",                                           \
    "Inbound requests answered with status 50")                                                    \
  X(kInboundDropped, "inbound_answers_dropped_total",                                              \
    "Answers of the local provider nobody waits for")                                              \
  X(kInboundCallbacks, "inbound_callbacks_total",                                                  \
    "Requests of the local provider to its consumer")                                              \
  X(kInboundPaused, "inbound_consumers_paused_total",                                              \
    "Times that a consumer was not read from until it took its answers, or its provider requests") \
  X(kProvidersPaused, "inbound_providers_paused_total",                                            \
    "Times that the local provider was not read from until its consumer took its answers")         \
  X(kInboundLost, "inbound_consumers_lost_total",                                                  \
    "Inbound connections that broke or ended in the middle of a frame")                            \
  X(kProviderConnects, "inbound_provider_connects_total",                                          \
    "Connections opened to the local provider")                                                    \
  X(kProviderConnectFailures, "inbound_provider_connect_failures_total",                           \
    "Connections to the local provider that could not be opened")                                  \
  X(kProviderLost, "inbound_provider_lost_total",                                                  \
    "Connections to the local provider that broke or were closed by it")

#define SKIFF_FORWARDER_GAUGES(X)                                                                \
  X(kOutboundOpen, "outbound_connections", "Open connections on the outbound port")              \
  X(kOutboundOpenMost, "outbound_connections_of_busiest_worker",                                 \
    "Open connections on the outbound port of the worker that has most of them")                 \
  X(kInboundOpen, "inbound_connections", "Open connections on the inbound port")                 \
  X(kInboundOpenMost, "inbound_connections_of_busiest_worker",                                   \
    "Open connections on the inbound port of the worker that has most of them")                  \
  X(kUpstreamOpen, "upstream_connections", "Open connections to providers")                      \
  X(kUpstreamEjected, "upstream_ejected", "Providers that get no requests because they fail")    \
  X(kInFlight, "outbound_in_flight", "Requests on the outbound port without an answer yet")      \
  X(kInboundInFlight, "inbound_in_flight", "Requests on the inbound port without an answer yet") \
  X(kKeptBytes, "outbound_kept_bytes", "Bytes of requests kept to be sent again")                \
  X(kHeldNow, "outbound_held", "Requests waiting for the providers of their service")            \
  X(kWaitingNow, "outbound_waiting", "Requests waiting for a provider that can be connected to") \
  X(kFailbackNow, "outbound_failback_waiting", "Failed requests waiting to be sent again")       \
  X(kDelayedNow, "outbound_delayed", "Requests that a filter delays")                            \
  X(kFilteredNow, "outbound_filtered",                                                           \
    "Requests under way that filters or the access log want to hear the end of")                 \
  X(kRoutes, "routes", "Services with a route, of one worker")                                   \
  X(kBufferBytes, "buffer_bytes", "Bytes in buffers of the data plane, free ones included")      \
  X(kBufferBytesInUse, "buffer_bytes_in_use", "Bytes in buffers that hold something")            \
  X(kMetricInterfaces, "metric_interfaces",                                                      \
    "Interfaces with metrics of their own; requests of further ones count as \"(other)\"")       \
  X(kMetricInterfacesLimit, "metric_interfaces_limit", "How many these may be")                  \
  X(kWorkersSilent, "workers_silent", "Workers that did not answer when these figures were taken")

struct MetricInfo {
  std::string_view name;
  std::string_view help;
};

#define SKIFF_ENUMERATOR(id, name, help) id,
enum class Counter : std::size_t { SKIFF_FORWARDER_COUNTERS(SKIFF_ENUMERATOR) kCount };
enum class Gauge : std::size_t { SKIFF_FORWARDER_GAUGES(SKIFF_ENUMERATOR) kCount };
#undef SKIFF_ENUMERATOR

// Name and help, in the order of the enumerators.
std::span<const MetricInfo> counter_infos();
std::span<const MetricInfo> gauge_infos();

// A worker's counters. Lives on that worker's thread; others are given copies.
class Counters {
 public:
  void add(Counter counter, std::uint64_t n = 1) {
    values_[static_cast<std::size_t>(counter)] += n;
  }
  // Where it stands; lives as long as this.
  std::uint64_t* of(Counter counter) { return &values_[static_cast<std::size_t>(counter)]; }
  std::uint64_t operator[](Counter counter) const {
    return values_[static_cast<std::size_t>(counter)];
  }

 private:
  std::array<std::uint64_t, static_cast<std::size_t>(Counter::kCount)> values_{};
};

}  // namespace skiff::forwarder
