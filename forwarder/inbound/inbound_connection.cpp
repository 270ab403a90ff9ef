#include "forwarder/inbound/inbound_connection.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "dubbo/down_question.h"
#include "dubbo/response.h"
#include "dubbo/url.h"
#include "forwarder/inbound/inbound.h"
#include "forwarder/limits.h"

namespace skiff::forwarder {

using dubbo::Status;

namespace {

std::uint32_t seconds_of(TimePoint time) {
  return static_cast<std::uint32_t>(
      std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count());
}

Counter counter_of(Status error) {
  switch (error) {
    case Status::kServerTimeout:
      return Counter::kInboundTimeouts;
    case Status::kBadRequest:
      return Counter::kInboundBadRequests;
    case Status::kServerThreadpoolExhausted:
      return Counter::kInboundRefusedByLimit;
    case Status::kBadResponse:
      return Counter::kInboundBadResponses;
    default:
      return Counter::kInboundNoProvider;
  }
}

}  // namespace

InboundConnection::InboundConnection(WorkerContext& context, Inbound& inbound,
                                     AcceptedSocket socket)
    : FrameConnection(context.loop, std::move(socket.fd), false, context.config.body_limit,
                      {context.counters.of(Counter::kInboundReceivedBytes),
                       context.counters.of(Counter::kInboundSentBytes)}),
      context_(context),
      inbound_(inbound),
      ticket_(std::move(socket.ticket)),
      abandoned_timer_(
          [](void* self) { static_cast<InboundConnection*>(self)->forget_abandoned(); }, this) {}

Result<void> InboundConnection::begin(Handle handle) {
  handle_ = handle;
  return start();
}

// --- from the consumer

void InboundConnection::on_frame(const Frame& frame) {
  if (frame.header.is_event) return on_event(frame);
  if (frame.header.is_request) return relay_request(frame);
  relay_callback_answer(frame);
}

// Heartbeats are between neighbours: the agent answers, and asks the provider by itself.
void InboundConnection::on_event(const Frame& frame) {
  if (!frame.header.is_request || !frame.header.is_two_way) return;
  std::vector<std::byte> answer;
  if (const auto asked = dubbo::parse_down_question(frame.body())) {
    dubbo::append_down_answer(frame.header, inbound_.services().down_of(*asked), answer);
  } else {
    dubbo::append_heartbeat_response(frame.header, frame.body(), answer);
  }
  append_copy(answer);
  hold_back();
  context_.counters.add(Counter::kHeartbeatsAnswered);
}

void InboundConnection::relay_request(const Frame& frame) {
  context_.counters.add(Counter::kInboundRequests);
  const dubbo::FrameHeader& header = frame.header;
  if (header.is_two_way && !has_room()) {
    return refuse(header, Status::kServerThreadpoolExhausted,
                  "this connection has " + std::to_string(pending_.size()) +
                      " requests without an answer, the agent's limit");
  }
  const LocalServices::Destination destination = inbound_.services().destination_of(frame);
  if (!destination.down.empty()) return refuse_for_dead_provider(header, destination);
  const std::uint16_t port = destination.port;
  note_use_of(port);
  const Result<ProviderLink*> link = link_to(port);
  if (!link) return refuse(header, Status::kServerError, link.error().message);
  const std::size_t waiting = (*link)->output_size();
  if (!inbound_.services().has_one_port() && waiting > 0 &&
      waiting + frame.bytes.size() > limits::kLinkQueueMaxBytes) {
    return refuse(header, Status::kServerThreadpoolExhausted,
                  "the provider on port " + std::to_string(port) + " does not take its requests: " +
                      std::to_string(waiting) + " bytes wait for it");
  }
  if (header.is_two_way) remember(pending_, header, port);
  (*link)->append_output(frame.bytes);
  hold_back();
}

void InboundConnection::refuse(const dubbo::FrameHeader& request, Status status,
                               const std::string& message) {
  if (!request.is_two_way) return context_.counters.add(Counter::kInboundOneWayDropped);
  answer_error(request.request_id, request.serialization, status, message);
}

void InboundConnection::refuse_for_dead_provider(const dubbo::FrameHeader& request,
                                                 const LocalServices::Destination& destination) {
  context_.counters.add(Counter::kInboundProviderDown);
  refuse(request, Status::kServerError, std::string(destination.down));
  note_use_of(destination.port);
}

void InboundConnection::note_use_of(std::uint16_t port) {
  const TimePoint now = context_.loop.now();
  const auto used = std::ranges::find(used_ports_, port, &UsedPort::port);
  if (used != used_ports_.end()) {
    used->last_request = now;
    return;
  }
  if (used_ports_.size() < limits::kUsedPortsMax) used_ports_.push_back({port, now});
  follow_providers();
}

void InboundConnection::relay_callback_answer(const Frame& frame) {
  const auto port = callbacks_.port_of(frame.header.request_id);
  ProviderLink* link = port ? find_link(*port) : nullptr;
  if (link == nullptr) {
    context_.counters.add(Counter::kInboundDropped);
    return;
  }
  callbacks_.take(frame.header.request_id, *port);
  link->append_output(frame.bytes);
  hold_back();
}

FrameConnection::OversizedFrame InboundConnection::on_oversized(const dubbo::FrameHeader& header) {
  context_.counters.add(Counter::kOversized);
  context_.log.warn(LogKind::kOversized, context_.loop.now(),
                    "closing an inbound connection that sent a frame of " +
                        std::to_string(header.body_size) + " bytes, over the limit (body_limit)");
  if (header.is_request && !header.is_event && header.is_two_way) {
    answer_error(header.request_id, header.serialization, Status::kBadRequest,
                 "the request has " + std::to_string(header.body_size) +
                     " bytes, the agent's limit (body_limit) is " +
                     std::to_string(context_.config.body_limit));
  }
  leaving_ = true;
  finish_if_nothing_pending();
  return OversizedFrame::kIgnoreAllInput;
}

void InboundConnection::on_foreign_bytes(dubbo::Bytes bytes) {
  context_.counters.add(Counter::kForeignProtocol);
  context_.log.warn(LogKind::kForeignProtocol, context_.loop.now(),
                    "closed a connection to the inbound port that does not speak Dubbo: it sent " +
                        std::string(dubbo::guess_foreign_protocol(bytes)));
}

void InboundConnection::on_end_of_input() {
  leaving_ = true;
  finish_if_nothing_pending();
}

void InboundConnection::on_output_drained() { let_go(); }

// --- links

ProviderLink* InboundConnection::find_link(std::uint16_t port) const {
  for (const auto& link : links_) {
    if (link->port() == port) return link.get();
  }
  return nullptr;
}

Result<ProviderLink*> InboundConnection::link_to(std::uint16_t port) {
  if (ProviderLink* link = find_link(port); link != nullptr) return link;
  if (links_.size() >= limits::kLinksPerInboundMax) {
    return fail(ErrorCode::kUnavailable, "this connection uses " + std::to_string(links_.size()) +
                                             " local ports, the agent's limit");
  }
  const auto address = SocketAddress::parse(context_.config.provider_host, port);
  Result<Fd> fd = address ? connect_to(*address) : tl::unexpected(address.error());
  Result<void> started;
  if (fd) {
    links_.push_back(std::make_unique<ProviderLink>(context_, *this, port, std::move(*fd), true));
    started = links_.back()->begin();
    if (started) return links_.back().get();
    context_.closed.push_back(std::move(links_.back()));
    links_.pop_back();
  }
  context_.counters.add(Counter::kProviderConnectFailures);
  return fail(
      ErrorCode::kUnavailable,
      "the provider at " + dubbo::format_host_port(context_.config.provider_host, port) +
          " cannot be connected to: " + (fd ? started.error().message : fd.error().message));
}

void InboundConnection::on_provider_frame(ProviderLink& link, const Frame& frame) {
  const dubbo::FrameHeader& header = frame.header;
  if (header.is_event) {
    if (!header.is_request) return;
    if (header.is_two_way) {
      std::vector<std::byte> answer;
      dubbo::append_heartbeat_response(header, frame.body(), answer);
      context_.counters.add(link.append_reply(answer) ? Counter::kHeartbeatsAnswered
                                                      : Counter::kRepliesLeftOut);
    } else if (links_.size() == 1) {
      relay_to_consumer(
          frame);  // READONLY; with several providers behind the port the others go on
    }
    return;
  }
  if (header.is_request) return relay_callback(link, frame);
  if (!pending_.take(header.request_id, link.port())) {
    context_.counters.add(Counter::kInboundDropped);
    return;
  }
  context_.counters.add(Counter::kInboundAnswered);
  relay_to_consumer(frame);
  finish_if_nothing_pending();
}

// The consumer's answer will carry no more than the id: it must lead to one provider.
void InboundConnection::relay_callback(ProviderLink& link, const Frame& frame) {
  context_.counters.add(Counter::kInboundCallbacks);
  const dubbo::FrameHeader& header = frame.header;
  if (header.is_two_way) {
    const std::uint16_t same_id_port = callbacks_.port_of(header.request_id).value_or(link.port());
    if (same_id_port != link.port() || callbacks_.size() >= limits::kInboundPendingMax) {
      std::vector<std::byte> refusal;
      dubbo::append_error_response(
          header.request_id, header.serialization, Status::kClientError,
          same_id_port != link.port()
              ? "skiff: the provider on port " + std::to_string(same_id_port) +
                    " waits for the answer to a callback with the same id"
              : "skiff: " + std::to_string(callbacks_.size()) +
                    " callbacks to this consumer have no answer, the agent's limit",
          refusal);
      if (!link.append_reply(refusal)) context_.counters.add(Counter::kRepliesLeftOut);
      return;
    }
    remember(callbacks_, header, link.port());
  }
  relay_to_consumer(frame);
}

void InboundConnection::relay_to_consumer(const Frame& frame) {
  append_output(frame.bytes);
  hold_back();
}

void InboundConnection::on_provider_oversized(ProviderLink& link,
                                              const dubbo::FrameHeader& header) {
  context_.counters.add(Counter::kOversized);
  if (header.is_request || header.is_event) return;
  const auto request = pending_.take(header.request_id, link.port());
  if (!request) return;
  answer_error(request->id, request->serialization, Status::kBadResponse,
               "the answer has " + std::to_string(header.body_size) +
                   " bytes, the agent's limit (body_limit) is " +
                   std::to_string(context_.config.body_limit));
  finish_if_nothing_pending();
}

void InboundConnection::on_provider_drained() { let_go(); }

void InboundConnection::hold_back() {
  const auto pause = [this](FrameConnection& connection, Counter counter) {
    if (connection.reading_paused()) return;
    connection.pause_reading();
    context_.counters.add(counter);
  };
  const bool consumer_is_full = output_size() > limits::kDownstreamHighBytes;
  if (consumer_is_full) {
    for (const auto& link : links_) pause(*link, Counter::kProvidersPaused);
  }
  if (consumer_is_full || waits_for_a_provider()) pause(*this, Counter::kInboundPaused);
}

void InboundConnection::let_go() {
  if (output_size() > limits::kDownstreamHighBytes) return;
  for (const auto& link : links_) link->resume_reading();
  if (!waits_for_a_provider()) resume_reading();
}

// Where other providers share the connection, one that takes nothing must not hold them up: what is
// for it is refused instead, in relay_request().
bool InboundConnection::waits_for_a_provider() const {
  return inbound_.services().has_one_port() && std::ranges::any_of(links_, [](const auto& link) {
           return link->output_size() > limits::kDownstreamHighBytes;
         });
}

void InboundConnection::on_provider_closed(ProviderLink& link, bool was_connecting,
                                           const std::string& reason) {
  if (is_closed()) return;
  const std::uint16_t port = link.port();
  if (was_connecting) context_.counters.add(Counter::kProviderConnectFailures);
  const auto owned = std::ranges::find_if(links_, [&](const auto& l) { return l.get() == &link; });
  if (owned != links_.end()) {
    context_.closed.push_back(std::move(*owned));
    links_.erase(owned);
  }
  context_.counters.add(Counter::kInboundOneWayDropped, link.unsent_one_way());
  callbacks_.take_all(port);
  const std::string address = dubbo::format_host_port(context_.config.provider_host, port);
  const std::string message =
      was_connecting ? "the provider at " + address + " cannot be connected to: " + reason
                     : "the provider at " + address + " closed its connection: " + reason;
  const std::vector<PendingRequest> unanswered = pending_.take_all(port);
  // A leaving consumer ends its links itself.
  if (!was_connecting && (!leaving_ || !unanswered.empty())) {
    context_.counters.add(Counter::kProviderLost);
  }
  for (const PendingRequest& request : unanswered) {
    answer_error(request.id, request.serialization, Status::kServerError, message);
  }
  let_go();
  finish_if_nothing_pending();
}

// --- answers of the agent

void InboundConnection::answer_error(std::uint64_t request_id, dubbo::Serialization serialization,
                                     Status status, const std::string& message) {
  context_.counters.add(Counter::kInboundErrors);
  context_.counters.add(counter_of(status));
  std::vector<std::byte> frame;
  dubbo::append_error_response(request_id, serialization, status, "skiff: " + message, frame);
  append_copy(frame);
  hold_back();
}

void InboundConnection::remember(PendingRequests& where, const dubbo::FrameHeader& header,
                                 std::uint16_t port) {
  where.add({header.request_id, port, header.serialization, seconds_of(context_.loop.now())});
  if (!abandoned_timer_.armed()) {
    context_.loop.arm(abandoned_timer_, context_.config.abandoned_time);
  }
}

// To look for abandoned requests means to look at all of them: not more often than their age
// changes.
bool InboundConnection::has_room() {
  if (pending_.size() < limits::kInboundPendingMax) return true;
  const std::uint32_t now_s = seconds_of(context_.loop.now());
  if (now_s == made_room_at_s_) return false;
  made_room_at_s_ = now_s;
  give_up_older_than(context_.config.abandoned_time_when_full);
  return pending_.size() < limits::kInboundPendingMax;
}

// A provider that leaves requests unanswered must not fill the table: whoever asked has given up
// long ago.
void InboundConnection::forget_abandoned() {
  give_up_older_than(context_.config.abandoned_time);
  if (pending_.size() + callbacks_.size() > 0) {
    context_.loop.arm(abandoned_timer_, context_.config.abandoned_time);
  }
  finish_if_nothing_pending();
}

void InboundConnection::give_up_older_than(std::chrono::milliseconds age) {
  const std::uint32_t now_s = seconds_of(context_.loop.now());
  const auto age_s =
      static_cast<std::uint32_t>(std::chrono::duration_cast<std::chrono::seconds>(age).count());
  const std::uint32_t before_s = now_s - std::min(now_s, age_s) + 1;
  for (const PendingRequest& request : pending_.take_older_than(before_s)) {
    answer_error(request.id, request.serialization, Status::kServerTimeout,
                 "the local provider has not answered for " + std::to_string(age_s) + " s");
  }
  callbacks_.take_older_than(before_s);
}

}  // namespace skiff::forwarder
