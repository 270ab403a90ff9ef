// What becomes of requests whose provider does not answer, or whose connection was lost.
#include <algorithm>
#include <utility>

#include "forwarder/limits.h"
#include "forwarder/outbound/outbound.h"

namespace skiff::forwarder {

using dubbo::Status;

void Outbound::on_deadline(Slot& slot) {
  const std::string within = " within " + std::to_string(slot.timeout.count()) + " ms";
  const std::string address = slot.upstream->address();
  if (!slot.upstream->is_connecting()) upstreams_.request_failed(address, "no answer" + within);
  if (Endpoint* endpoint = slot.upstream->endpoint(); endpoint != nullptr) {
    endpoint->load.note_answer_time(slot.timeout, context_.loop.now());
  }
  answer_slot(slot, Status::kServerTimeout, "no answer from " + address + within);
}

void Outbound::on_upstream_closed(std::unique_ptr<UpstreamConnection> upstream,
                                  const std::string& reason) {
  if (lost_.empty()) context_.loop.mark_dirty(*this);
  lost_.push_back({std::move(upstream), reason});
}

void Outbound::on_flush() {
  // Sending elsewhere may fail at once: what is lost then has its turn later in this flush.
  for (LostUpstream& lost : std::exchange(lost_, {})) {
    settle(lost);
    context_.closed.push_back(std::move(lost.connection));
  }
}

// What was not sent at all goes elsewhere; what was sent may have been carried out: it is sent
// again where its provider does not forbid that, and somebody still waits for the answer.
void Outbound::settle(const LostUpstream& lost) {
  UpstreamConnection& upstream = *lost.connection;
  upstream.for_each_unsent_frame([&](const Frame& frame) { resend(lost, frame); });
  if (upstream.first_slot() != nullptr) upstreams_.request_failed(upstream.address(), lost.reason);
  while (Slot* slot = upstream.first_slot()) {
    std::string why = "the connection to " + upstream.address() +
                      " was lost before its answer came: " + lost.reason;
    if (slot->retries_left > 0 && is_awaited(*slot)) {
      if (retry_budget_of(*slot).take(context_.loop.now())) {
        retry(*slot, lost.reason);
        continue;
      }
      context_.counters.add(Counter::kRetriesOverBudget);
      why += "; it is not sent again, since " + std::to_string(limits::kRetryBudgetPercent) +
             " % of its service's requests were within the last " +
             std::to_string(limits::kRetryBudgetSeconds) + " s";
    }
    answer_slot(*slot, Status::kServerError, why);
  }
}

void Outbound::resend(const LostUpstream& lost, const Frame& frame) {
  if (!frame.header.is_request || frame.header.is_event) return;
  OutboundRequest request(frame, Handle{}, context_.loop.now());
  if (frame.header.is_two_way) {
    Slot* slot = slots_.find(frame.header.request_id);
    if (slot == nullptr || slot->upstream != lost.connection.get()) return;  // answered since
    const bool others_have_it = fan_outs_.get(slot->fan_out) != nullptr || slot->is_shadow;
    if (others_have_it) {
      return answer_slot(
          *slot, Status::kServerError,
          "provider " + lost.connection->address() + " cannot be reached: " + lost.reason);
    }
    request.frame.header.request_id = slot->request_id;
    request.consumer = slot->consumer;
    request.received = slot->received;
    request.history.attempts = 1;
    if (slot->history) request.history = std::move(*slot->history);
    request.history.failback_left = slot->failback_left;
    request.history.added_attachments = slot->added_attachments;
    request.history.record = slot->record;
    request.history.is_past_mirrors = true;
    release(*slot);
  } else {
    const auto note = static_cast<std::uint32_t>(frame.header.request_id >> 32);
    if (RequestHistory::is_fan_out(note)) return context_.counters.add(Counter::kOneWayDropped);
    request.history.take_one_way_note(note);
    request.history.has_ended = true;
  }
  request.history.note_tried(lost.connection->address(), lost.reason);
  // Nothing else speaks against a provider whose connection broke: it would be chosen again.
  if (lost.connection->was_connected()) request.history.was_lost = true;
  context_.counters.add(Counter::kRetries);
  process(request);
}

RetryBudget& Outbound::retry_budget_of(const Slot& slot) {
  return slot.method != nullptr ? slot.method->service->retry_budget() : unread_retries_;
}

bool Outbound::is_awaited(const Slot& slot) const {
  return consumers_.get(slot.consumer) != nullptr &&
         context_.loop.now() - slot.received < slot.timeout;
}

void Outbound::retry(Slot& slot, const std::string& reason) {
  const std::uint32_t retries_left = slot.retries_left - 1;
  const std::size_t size = slot.kept_size;
  PooledBlock kept = take_kept(slot);
  OutboundRequest request(Frame::first_of({kept.data(), size}), slot.consumer, slot.received);
  context_.loop.turn_memory().keep(std::move(kept));
  if (slot.history) request.history = std::move(*slot.history);
  RequestHistory& history = request.history;
  history.attempts = std::max<std::uint8_t>(history.attempts, 1);
  history.added_attachments = slot.kept_attachments;
  history.retries_left = retries_left;
  history.record = slot.record;
  history.is_past_mirrors = true;
  history.was_lost = true;
  history.note_tried(slot.upstream->address(), reason);
  if (slot.retries_elsewhere_only) history.close_to(slot.upstream->address());
  release(slot);
  context_.counters.add(Counter::kRetriesOfSent);
  process(request);
}

// Nothing of it was sent, or it may be sent again: it waits for a provider that can be connected
// to.
void Outbound::wait_or_fail(OutboundRequest& request, const ClusterState& cluster) {
  const std::size_t left = request.choice.providers->count();
  std::string why =
      "no provider of " + request.describe() + " can be reached; tried:" + request.history.tried;
  if (left < cluster.endpoints.size()) {
    why += "; rules leave " + std::to_string(left) + " of " +
           std::to_string(cluster.endpoints.size()) + " providers";
  }
  why += "; look at the providers and the network between";
  bool is_closed_to_all = true;
  request.choice.providers->for_each([&](std::size_t i) {
    is_closed_to_all =
        is_closed_to_all && request.history.is_closed_to(cluster.endpoints[i]->address);
  });
  const bool may_wait =
      request.header().is_two_way && !is_closed_to_all && !request.history.is_shadow;
  if (may_wait) {
    const auto timeout = timeout_of(request, cluster.spec->providers.front());
    WaitingRequest waiting{.request = copy_of(request),
                           .until = request.received + timeout * limits::kReconnectEighths / 8,
                           .why = why};
    if (waiting_.add(request.interface, std::move(waiting))) {
      context_.counters.add(Counter::kWaited);
      return;
    }
  }
  answer_error(request, Status::kServerError, why);
}

bool Outbound::may_reach(const std::string& interface) {
  ServiceEntry* service = routes_.find(interface);
  if (service == nullptr) return true;  // whoever asks for it now is told so
  const TimePoint now = context_.loop.now();
  return std::ranges::any_of(service->clusters(), [now](const ClusterState& cluster) {
    return std::ranges::any_of(cluster.endpoints, [now](const Endpoint* endpoint) {
      return endpoint->fitness(now) != Endpoint::Fitness::kUnreachable;
    });
  });
}

void Outbound::try_again(const WaitingRequest& waiting, bool tries_any) {
  OutboundRequest request(waiting.request, context_.loop.turn_memory());
  request.history.attempts = 1;
  request.history.was_lost = false;
  request.tries_any = tries_any;
  process(request);
}

void Outbound::on_wait_over(const WaitingRequest& waiting) {
  OutboundRequest request(waiting.request, context_.loop.turn_memory());
  request.history.attempts = 1;  // it was counted when it came
  if (!decode(request)) return;
  if (ServiceEntry* service = find_service(request); service != nullptr) count(request, *service);
  answer_error(request, Status::kServerError, waiting.why);
}

PooledBlock Outbound::take_kept(Slot& slot) {
  kept_bytes_ -= slot.kept.capacity();
  slot.retries_left = 0;
  return std::move(slot.kept);
}

}  // namespace skiff::forwarder
