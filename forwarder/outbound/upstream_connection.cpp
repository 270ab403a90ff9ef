#include "forwarder/outbound/upstream_connection.h"

#include <vector>

#include "dubbo/response.h"
#include "forwarder/limits.h"
#include "forwarder/outbound/outbound.h"
#include "forwarder/outbound/upstream_pool.h"

namespace skiff::forwarder {

UpstreamConnection::UpstreamConnection(WorkerContext& context, Outbound& outbound,
                                       UpstreamPool& pool, Endpoint& endpoint, Fd fd)
    : FrameConnection(context.loop, std::move(fd), true, context.config.body_limit,
                      {context.counters.of(Counter::kUpstreamReceivedBytes),
                       context.counters.of(Counter::kUpstreamSentBytes)}),
      context_(context),
      outbound_(outbound),
      pool_(pool),
      endpoint_(&endpoint),
      address_(endpoint.address),
      silence_(context.config.heartbeat_interval),
      timer_([](void* self) { static_cast<UpstreamConnection*>(self)->on_timer(); }, this) {}

Result<void> UpstreamConnection::begin() {
  context_.loop.arm(timer_, context_.config.connect_timeout);
  return start();
}

void UpstreamConnection::on_connected() {
  was_connected_ = true;
  pool_.connected(*this);
  context_.loop.arm(timer_, context_.config.heartbeat_interval);
}

void UpstreamConnection::on_timer() {
  if (is_connecting()) {
    return close("no connection within " + std::to_string(context_.config.connect_timeout.count()) +
                 " ms");
  }
  const bool is_idle =
      in_flight_ == 0 && context_.loop.now() - last_read() >= context_.config.heartbeat_interval;
  if (endpoint_ != nullptr && is_idle && endpoint_->connections.front() != this) {
    return pool_.retire_further(*this);
  }
  const auto [step, next_look] = silence_.check(context_.loop.now(), last_read());
  if (step == SilenceWatch::Step::kGiveUp) {
    return close("no answer to " + std::to_string(limits::kSilentHeartbeatsMax) + " heartbeats");
  }
  context_.loop.arm(timer_, next_look);
  if (step == SilenceWatch::Step::kWait) return;
  std::vector<std::byte> frame;
  dubbo::append_heartbeat_request(next_heartbeat_id_++, frame);
  append_copy(frame);
  context_.counters.add(Counter::kHeartbeatsSent);
}

void UpstreamConnection::on_frame(const Frame& frame) {
  if (frame.header.is_event) return on_event(frame);
  if (frame.header.is_request) return refuse_callback(frame);
  outbound_.on_response(*this, frame);
}

void UpstreamConnection::on_event(const Frame& frame) {
  if (!frame.header.is_request) return;  // the answer to a heartbeat: last_read() says it all
  switch (dubbo::event_kind(frame.header.serialization, frame.body())) {
    case dubbo::EventKind::kReadonly:
      readonly_ = true;
      context_.counters.add(Counter::kUpstreamReadonly);
      context_.log.warn(LogKind::kUpstreamReadonly, context_.loop.now(),
                        "provider " + address_ + " is going away (READONLY)");
      return;
    case dubbo::EventKind::kWriteable:
      readonly_ = false;
      return;
    case dubbo::EventKind::kHeartbeat:
    case dubbo::EventKind::kUnknown:
      break;
  }
  if (!frame.header.is_two_way) return;
  std::vector<std::byte> answer;
  dubbo::append_heartbeat_response(frame.header, frame.body(), answer);
  reply(answer, Counter::kHeartbeatsAnswered);
}

void UpstreamConnection::reply(dubbo::Bytes frame, Counter counter) {
  context_.counters.add(append_reply(frame) ? counter : Counter::kRepliesLeftOut);
}

// A callback belongs to one consumer, and many share this connection: nobody can say to which.
void UpstreamConnection::refuse_callback(const Frame& frame) {
  if (!frame.header.is_two_way) return context_.counters.add(Counter::kUpstreamCallbacks);
  std::vector<std::byte> answer;
  dubbo::append_error_response(frame.header.request_id, frame.header.serialization,
                               dubbo::Status::kBadRequest,
                               "callbacks cannot pass the shared connections of a Skiff agent; let "
                               "the consumer connect to the provider directly",
                               answer);
  reply(answer, Counter::kUpstreamCallbacks);
}

FrameConnection::OversizedFrame UpstreamConnection::on_oversized(const dubbo::FrameHeader& header) {
  outbound_.on_oversized_response(*this, header);
  if (header.body_size > limits::kSkippedBodyMax) close("it sent a frame too long to be skipped");
  return OversizedFrame::kSkipIt;
}

void UpstreamConnection::on_foreign_bytes(dubbo::Bytes bytes) {
  context_.counters.add(Counter::kForeignProtocol);
  context_.log.warn(LogKind::kForeignProtocol, context_.loop.now(),
                    "provider " + address_ + " does not speak Dubbo: it sent " +
                        std::string(dubbo::guess_foreign_protocol(bytes)));
}

void UpstreamConnection::on_closed(const std::string& reason) {
  timer_.cancel();
  if (was_connected_ && endpoint_ != nullptr) {
    context_.counters.add(Counter::kUpstreamLost);
    context_.log.warn(LogKind::kUpstreamLost, context_.loop.now(),
                      "connection to provider " + address_ + " was lost: " + reason);
  }
  pool_.closed(*this, !was_connected_, reason);
  leave_endpoint();
}

void UpstreamConnection::retire() {
  leave_endpoint();
  close_if_retired_and_idle();
}

// Its endpoint may be gone before its last answer comes.
void UpstreamConnection::leave_endpoint() {
  if (endpoint_ == nullptr) return;
  endpoint_->load.note_settled(in_flight_);
  endpoint_ = nullptr;
}

void UpstreamConnection::close_if_retired_and_idle() {
  if (endpoint_ == nullptr && first_ == nullptr) finish();
}

void UpstreamConnection::add(Slot& slot) {
  slot.upstream = this;
  slot.previous = last_;
  slot.next = nullptr;
  (last_ == nullptr ? first_ : last_->next) = &slot;
  last_ = &slot;
  ++in_flight_;
  if (endpoint_ != nullptr) endpoint_->load.note_sent();
  request_bytes_in_flight_ += slot.request_size;
}

void UpstreamConnection::remove(Slot& slot) {
  (slot.previous == nullptr ? first_ : slot.previous->next) = slot.next;
  (slot.next == nullptr ? last_ : slot.next->previous) = slot.previous;
  slot.previous = slot.next = nullptr;
  --in_flight_;
  if (endpoint_ != nullptr) endpoint_->load.note_settled();
  request_bytes_in_flight_ -= slot.request_size;
  close_if_retired_and_idle();
}

}  // namespace skiff::forwarder
