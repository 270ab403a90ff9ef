// The second half of Outbound: what comes back to consumers, from providers or from the agent
// itself.
#include <cstring>
#include <utility>

#include "forwarder/limits.h"
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
  } else if (std::byte* out = consumer->extend_answer(frame.bytes.size()); out != nullptr) {
    std::memcpy(out, frame.bytes.data(), frame.bytes.size());
    dubbo::write_request_id(out, slot->request_id);
    consumer->answered();
    context_.counters.add(Counter::kOutboundAnswered);
  }
  note_outcome(upstream, frame.header.status);
  release(*slot);
}

// What a provider answers says whether it can serve; whether its service succeeded is the
// consumer's matter.
void Outbound::note_outcome(UpstreamConnection& upstream, Status status) {
  if (status == Status::kServerThreadpoolExhausted) {
    upstreams_.request_failed(upstream, "it has no thread for requests (status 100)");
  } else if (Endpoint* endpoint = upstream.endpoint(); endpoint != nullptr) {
    endpoint->health.note_answer();
  }
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

// --- trouble with providers

void Outbound::on_deadline(Slot& slot) {
  const std::string within = " within " + std::to_string(slot.timeout.count()) + " ms";
  if (!slot.upstream->is_connecting()) {
    upstreams_.request_failed(*slot.upstream, "no answer" + within);
  }
  answer_slot(slot, Status::kServerTimeout, "no answer from " + slot.upstream->address() + within);
}

// What was not sent at all goes elsewhere; what was sent may have been carried out: it is answered
// with an error, unless the provider allows that it is sent again.
void Outbound::on_upstream_closed(UpstreamConnection& upstream, const std::string& reason) {
  dubbo::Bytes rest = upstream.unsent();
  while (!rest.empty()) {
    const auto header = dubbo::parse_frame_header(rest, UINT32_MAX);
    const std::size_t size = dubbo::FrameHeader::kSize + header->body_size;
    resend(upstream, Frame{*header, rest.first(size)}, reason);
    rest = rest.subspan(size);
  }
  if (upstream.first_slot() != nullptr) upstreams_.request_failed(upstream, reason);
  while (Slot* slot = upstream.first_slot()) {
    if (slot->retries_left > 0) {
      retry(*slot, reason);
      continue;
    }
    answer_slot(
        *slot, Status::kServerError,
        "the connection to " + upstream.address() + " was lost before its answer came: " + reason);
  }
}

void Outbound::resend(UpstreamConnection& upstream, const Frame& frame, const std::string& reason) {
  if (!frame.header.is_request || frame.header.is_event) return;
  OutboundRequest request(frame, Handle{}, context_.loop.now());
  const std::string failure = " " + upstream.address() + " (" + reason + ")";
  if (frame.header.is_two_way) {
    Slot* slot = slots_.find(frame.header.request_id);
    if (slot == nullptr || slot->upstream != &upstream) return;  // answered since, by its deadline
    request.frame.header.request_id = slot->request_id;
    request.consumer = slot->consumer;
    request.received = slot->received;
    request.attempts = slot->attempts;
    if (slot->tried) request.tried = *slot->tried;
    release(*slot);
  } else {
    request.attempts = 1;
  }
  request.tried += failure;
  context_.counters.add(Counter::kRetries);
  process(request);
}

void Outbound::retry(Slot& slot, const std::string& reason) {
  const PooledBlock kept = std::move(slot.kept);
  const dubbo::Bytes bytes(kept.data(), slot.kept_size);
  OutboundRequest request(Frame{*dubbo::parse_frame_header(bytes, UINT32_MAX), bytes},
                          slot.consumer, slot.received);
  request.attempts = slot.attempts;
  request.retries_left = slot.retries_left - 1;
  request.lost_at = slot.upstream->address();
  if (slot.tried) request.tried = *slot.tried;
  request.tried += " " + request.lost_at + " (" + reason + ")";
  release(slot);
  context_.counters.add(Counter::kRetriesOfSent);
  process(request);
}

// --- answers of the agent

void Outbound::release(Slot& slot) {
  slot.upstream->remove(slot);
  if (slot.retries_left > 0) kept_bytes_ -= slot.kept_size;
  MethodStats* method = slot.method;
  slots_.give_back(slot);
  if (method == nullptr) return;
  ServiceEntry& service = *method->service;
  if (--service.in_flight == 0) routes_.collect(service);
}

void Outbound::answer_slot(Slot& slot, Status status, const std::string& message) {
  std::string sentence;
  if (slot.method != nullptr) {
    ++slot.method->failures;
    sentence = slot.method->service->interface() + "." + slot.method->name + ": ";
  }
  sentence += message;
  if (slot.tried) sentence += "; tried before:" + *slot.tried;
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
  if (std::byte* out = connection->extend_answer(error_frame_.size()); out != nullptr) {
    std::memcpy(out, error_frame_.data(), error_frame_.size());
    connection->answered();
  }
}

void Outbound::on_oversized_request(DownstreamConnection& consumer,
                                    const dubbo::FrameHeader& header) {
  context_.counters.add(Counter::kOversized);
  context_.log.warn(LogKind::kOversized, context_.loop.now(),
                    "closing a consumer that sent a frame of " + std::to_string(header.body_size) +
                        " bytes, over the limit (body_limit)");
  if (!header.is_request || header.is_event || !header.is_two_way) return;
  consumer.owe_answer();
  write_error(consumer.handle(), header.request_id, header.serialization, Status::kBadRequest,
              "the request has " + std::to_string(header.body_size) +
                  " bytes, the agent's limit (body_limit) is " +
                  std::to_string(context_.config.body_limit));
}

// --- routes

void Outbound::update_route(std::shared_ptr<const governance::ServiceRoute> route) {
  const std::string interface = route->interface;
  routes_.update(std::move(route));
  for (const HeldRequest& held : held_.take(interface)) {
    OutboundRequest request(held);
    process(request);
  }
}

void Outbound::remove_route(const std::string& interface) { routes_.remove(interface); }

}  // namespace skiff::forwarder
