// What comes back to consumers, from providers or from the agent itself.
#include "dubbo/check.h"
#include "dubbo/null_response.h"
#include "forwarder/outbound/outbound.h"

namespace skiff::forwarder {

using dubbo::Status;
using governance::ClusterMode;

namespace {

bool is_fan_out(const Slot& slot) {
  return slot.mode == ClusterMode::kForking || slot.mode == ClusterMode::kBroadcast;
}

// Whether a provider's error does not reach the consumer either.
bool hides_failures(const Slot& slot) {
  if (slot.failback_left) return true;
  return (slot.mode == ClusterMode::kFailsafe || slot.mode == ClusterMode::kFailback) &&
         dubbo::can_write_null(slot.serialization);
}

}  // namespace

// --- answers of providers

void Outbound::on_response(UpstreamConnection& upstream, const Frame& frame) {
  Slot* slot = slots_.find(frame.header.request_id);
  if (slot == nullptr || slot->upstream != &upstream) {
    context_.counters.add(Counter::kLateAnswers);
    return;
  }
  note_outcome(*slot, frame);
  if (is_fan_out(*slot)) return on_fan_out_answer(*slot, frame);
  if (slot->is_shadow) return release(*slot);
  if (frame.header.status != Status::kOk && hides_failures(*slot)) {
    return answer_slot(*slot, frame.header.status,
                       "provider " + upstream.address() + " answered with status " +
                           std::to_string(static_cast<int>(frame.header.status)),
                       Outcome::kProviderError);
  }
  if (!slot->failback_left) relay_and_finish(asker_of(*slot, context_.loop.now()), frame);
  release(*slot);
}

Asker Outbound::asker_of(const Slot& slot, TimePoint now) {
  return {slot.consumer, slot.request_id, slot.serialization, slot.mode,
          slot.record,   slot.traffic,    slot.received,      now - slot.sent};
}

void Outbound::relay_and_finish(const Asker& asker, const Frame& answer) {
  const Status status = answer.header.status;
  Outcome outcome = Outcome::kProviderError;
  if (status == Status::kOk) {
    const bool threw = dubbo::says_exception(answer.header.serialization, answer.body());
    outcome = threw ? Outcome::kException : Outcome::kOk;
  }
  if (!relay(asker.consumer, asker.request_id, answer.bytes)) outcome = Outcome::kAbandoned;
  finish(asker.record, {.outcome = outcome,
                        .received = asker.received,
                        .traffic = asker.traffic,
                        .status = status,
                        .upstream_time = asker.upstream_time,
                        .answer_bytes = answer.bytes.size()});
}

bool Outbound::relay(Handle consumer, std::uint64_t request_id, std::span<std::byte> answer) {
  DownstreamConnection* connection = consumers_.get(consumer);
  if (connection == nullptr) {
    context_.counters.add(Counter::kOrphanedAnswers);
    return false;
  }
  dubbo::write_request_id(answer.data(), request_id);
  if (!connection->answer(answer)) return false;
  context_.counters.add(Counter::kOutboundAnswered);
  return true;
}

// What a provider answers says whether it can serve; whether its service succeeded is the
// consumer's matter. Errors come fast: they say nothing of the time that answers take.
void Outbound::note_outcome(const Slot& slot, const Frame& answer) {
  const UpstreamConnection& upstream = *slot.upstream;
  Endpoint* endpoint = upstream.endpoint();
  if (answer.header.status == Status::kServerThreadpoolExhausted) {
    upstreams_.request_failed(upstream.address(), "it has no thread for requests (status 100)");
  } else if (endpoint != nullptr) {
    endpoint->health.note_answer();
  }
  if (endpoint == nullptr) return;
  endpoint->note_answer(answer.bytes.size());
  if (answer.header.status != Status::kOk) return;
  const TimePoint now = context_.loop.now();
  endpoint->load.note_answer_time(now - slot.sent, now);
}

void Outbound::on_oversized_response(UpstreamConnection& upstream,
                                     const dubbo::FrameHeader& header) {
  context_.counters.add(Counter::kOversized);
  context_.log.warn(LogKind::kOversized, context_.loop.now(),
                    "provider " + upstream.address() + " sent an answer of " +
                        std::to_string(header.body_size) + " bytes, over the limit");
  Slot* slot = header.is_request ? nullptr : slots_.find(header.request_id);
  if (slot == nullptr || slot->upstream != &upstream) return;
  answer_slot(*slot, Status::kBadResponse,
              "the answer of " + upstream.address() + " has " + std::to_string(header.body_size) +
                  " bytes, the agent's limit (body_limit) is " +
                  std::to_string(context_.config.body_limit));
}

// --- answers of the agent

void Outbound::release(Slot& slot) {
  UpstreamConnection* upstream = slot.upstream;
  MethodEntry* method = slot.method;
  take_kept(slot);
  if (slot.is_shadow) --shadows_;
  upstream->remove(slot);
  slots_.give_back(slot);
  if (method == nullptr) return;
  ServiceEntry& service = *method->service;
  check(service.in_flight > 0, "a service has more answers than requests");
  if (--service.in_flight == 0) routes_.collect(service);
}

void Outbound::answer_slot(Slot& slot, Status status, const std::string& message, Outcome outcome) {
  if (slot.is_shadow) {
    context_.counters.add(Counter::kMirrorFailed);
    return release(slot);
  }
  std::string sentence;
  if (slot.method != nullptr) {
    sentence = slot.method->service->interface() + "." + slot.method->name + ": ";
  }
  sentence += message;
  if (slot.history) sentence += "; tried before:" + slot.history->tried;
  if (is_fan_out(slot)) return on_fan_out_failure(slot, status, sentence);
  log_failure(slot.method, slot.route, status, sentence);
  const Asker asker = asker_of(slot, context_.loop.now());
  const bool is_background = slot.failback_left.has_value();
  if (slot.mode == ClusterMode::kFailback) send_later(slot);
  release(slot);
  if (!is_background) answer_failure(asker, status, sentence, outcome);
}

void Outbound::answer_error(const OutboundRequest& request, Status status,
                            const std::string& message, Outcome outcome) {
  if (fan_outs_.get(request.fan_out) != nullptr) {
    return note_failure(request.fan_out, status, message);
  }
  if (request.history.is_shadow) return context_.counters.add(Counter::kMirrorFailed);
  log_failure(request.method, request.route, status, message);
  const bool is_background = request.history.failback_left.has_value();
  if (request.history.mode == ClusterMode::kFailback) send_later(request);
  if (!request.header().is_two_way) {
    finish(request.history.record, {.outcome = outcome,
                                    .received = request.received,
                                    .traffic = request.traffic,
                                    .is_by_agent = true,
                                    .error = message,
                                    .is_counted = request.history.may_end()});
    return context_.counters.add(Counter::kOneWayDropped);
  }
  if (is_background) return;
  answer_failure({request.consumer, request.header().request_id, request.header().serialization,
                  request.history.mode, request.history.record, request.traffic, request.received},
                 status, message, outcome);
}

// What `skiff explain` says, as far as it fits a line.
void Outbound::log_failure(const MethodEntry* method, const RouteNote& route, Status status,
                           const std::string& message) {
  const TimePoint now = context_.loop.now();
  if (!context_.log.admits(LogKind::kRequestFailed, now)) return;
  std::string line = "a request fails with status " + std::to_string(static_cast<int>(status)) +
                     " (" + std::string(dubbo::name_of(status)) + "): " + message;
  if (method != nullptr && route.route_number != 0) {
    line += "; rules: " + method->service->explain(route, method->name);
  }
  context_.log.warn(LogKind::kRequestFailed, now, line);
}

// With null where its cluster's mode says so, and we can write that.
void Outbound::answer_failure(const Asker& asker, Status status, const std::string& message,
                              Outcome outcome) {
  const bool is_awaited = consumers_.get(asker.consumer) != nullptr;
  finish(asker.record, {.outcome = is_awaited ? outcome : Outcome::kAbandoned,
                        .received = asker.received,
                        .traffic = asker.traffic,
                        .status = status,
                        .is_by_agent = true,
                        .error = message,
                        .upstream_time = asker.upstream_time});
  const bool is_hidden =
      (asker.mode == ClusterMode::kFailsafe || asker.mode == ClusterMode::kFailback) &&
      dubbo::can_write_null(asker.serialization);
  if (!is_hidden) {
    return write_error(asker.consumer, asker.request_id, asker.serialization, status, message);
  }
  context_.counters.add(Counter::kAnsweredNull);
  context_.log.warn(LogKind::kAnsweredNull, context_.loop.now(),
                    "a request that failed is answered with null (cluster=" +
                        std::string(governance::name_of(asker.mode)) + "): " + message);
  DownstreamConnection* connection = consumers_.get(asker.consumer);
  if (connection == nullptr) return context_.counters.add(Counter::kOrphanedAnswers);
  error_frame_.clear();
  dubbo::append_null_response(asker.request_id, asker.serialization, error_frame_);
  connection->answer(context_.loop.turn_memory().copy(error_frame_));
}

void Outbound::write_error(Handle consumer, std::uint64_t request_id,
                           dubbo::Serialization serialization, Status status,
                           const std::string& message) {
  static constexpr auto kCounterOf = [](Status of) {
    switch (of) {
      case Status::kServiceNotFound:
        return Counter::kServiceNotFound;
      case Status::kServerTimeout:
        return Counter::kTimeouts;
      case Status::kBadRequest:
        return Counter::kBadRequests;
      case Status::kServerThreadpoolExhausted:
        return Counter::kRefusedByLimit;
      case Status::kBadResponse:
        return Counter::kBadResponses;
      default:
        return Counter::kNoProvider;
    }
  };
  context_.counters.add(Counter::kOutboundErrors);
  context_.counters.add(kCounterOf(status));
  DownstreamConnection* connection = consumers_.get(consumer);
  if (connection == nullptr) {
    context_.counters.add(Counter::kOrphanedAnswers);
    return;
  }
  error_frame_.clear();
  dubbo::append_error_response(request_id, serialization, status, "skiff: " + message,
                               error_frame_);
  connection->answer(context_.loop.turn_memory().copy(error_frame_));
}

}  // namespace skiff::forwarder
