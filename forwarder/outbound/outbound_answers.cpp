// What comes back to consumers, from providers or from the agent itself.
#include "dubbo/check.h"
#include "forwarder/outbound/outbound.h"

namespace skiff::forwarder {

using dubbo::Status;

// --- answers of providers

void Outbound::on_response(UpstreamConnection& upstream, const Frame& frame) {
  Slot* slot = slots_.find(frame.header.request_id);
  if (slot == nullptr || slot->upstream != &upstream) {
    context_.counters.add(Counter::kLateAnswers);
    return;
  }
  DownstreamConnection* consumer = consumers_.get(slot->consumer);
  if (consumer == nullptr) {
    context_.counters.add(Counter::kOrphanedAnswers);
  } else {
    dubbo::write_request_id(frame.bytes.data(), slot->request_id);
    if (consumer->answer(frame.bytes)) context_.counters.add(Counter::kOutboundAnswered);
  }
  note_outcome(*slot, frame);
  release(*slot);
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
  MethodStats* method = slot.method;
  take_kept(slot);
  upstream->remove(slot);
  slots_.give_back(slot);
  if (method == nullptr) return;
  ServiceEntry& service = *method->service;
  check(service.in_flight > 0, "a service has more answers than requests");
  if (--service.in_flight == 0) routes_.collect(service);
}

void Outbound::answer_slot(Slot& slot, Status status, const std::string& message) {
  std::string sentence;
  if (slot.method != nullptr) {
    ++slot.method->failures;
    sentence = slot.method->service->interface() + "." + slot.method->name + ": ";
  }
  sentence += message;
  if (slot.history) sentence += "; tried before:" + slot.history->tried;
  const Handle consumer = slot.consumer;
  const std::uint64_t request_id = slot.request_id;
  const dubbo::Serialization serialization = slot.serialization;
  release(slot);
  write_error(consumer, request_id, serialization, status, sentence);
}

void Outbound::answer_error(const OutboundRequest& request, Status status,
                            const std::string& message) {
  if (request.method != nullptr) ++request.method->failures;
  if (!request.header().is_two_way) {
    context_.counters.add(Counter::kOneWayDropped);
    return;
  }
  write_error(request.consumer, request.header().request_id, request.header().serialization, status,
              message);
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
