#include "forwarder/outbound/downstream_connection.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "dubbo/check.h"
#include "dubbo/response.h"
#include "forwarder/limits.h"
#include "forwarder/outbound/outbound.h"

namespace skiff::forwarder {

DownstreamConnection::DownstreamConnection(WorkerContext& context, Outbound& outbound,
                                           AcceptedSocket socket)
    : FrameConnection(context.loop, std::move(socket.fd), false, context.config.body_limit,
                      {context.counters.of(Counter::kOutboundReceivedBytes),
                       context.counters.of(Counter::kOutboundSentBytes)}),
      context_(context),
      outbound_(outbound),
      ticket_(std::move(socket.ticket)) {
  keep_in(context.config.connection_store);
}

Result<void> DownstreamConnection::begin(Handle handle) {
  handle_ = handle;
  return start();
}

Result<void> DownstreamConnection::begin(Handle handle, CarriedConsumer carried) {
  handle_ = handle;
  for (CarriedConsumer::Answers& answers : carried.answers) {
    relays_.push_back(
        std::make_unique<AnswerRelay>(context_, *this, std::move(answers.socket.fd), answers.owed));
    if (Result<void> started = relays_.back()->begin(answers.socket); !started) return started;
  }
  return start_from(carried.socket);
}

const std::string& DownstreamConnection::peer_address() {
  if (peer_address_.empty()) peer_address_ = SocketAddress::peer_of(fd()).to_string();
  return peer_address_;
}

void DownstreamConnection::on_frame(const Frame& frame) {
  if (is_for_store_) {  // the rest of what had come in part
    pause_reading();
    ask_for_drained();
  }
  if (frame.header.is_event) return on_event(frame);
  if (frame.header.is_request) outbound_.on_request(*this, frame);
  // A response: nobody asked this consumer anything.
}

void DownstreamConnection::on_event(const Frame& frame) {
  if (!frame.header.is_request || !frame.header.is_two_way) return;
  std::vector<std::byte> answer;
  dubbo::append_heartbeat_response(frame.header, frame.body(), answer);
  if (append(loop().turn_memory().copy(answer))) {
    context_.counters.add(Counter::kHeartbeatsAnswered);
  }
}

FrameConnection::OversizedFrame DownstreamConnection::on_oversized(
    const dubbo::FrameHeader& header) {
  outbound_.on_oversized_request(*this, header);
  is_for_store_ = false;
  drain();
  return OversizedFrame::kIgnoreAllInput;
}

void DownstreamConnection::on_foreign_bytes(dubbo::Bytes bytes) {
  context_.counters.add(Counter::kForeignProtocol);
  context_.log.warn(LogKind::kForeignProtocol, context_.loop.now(),
                    "closed a connection to the outbound port that does not speak Dubbo: it sent " +
                        std::string(dubbo::guess_foreign_protocol(bytes)));
}

// False where the consumer is closed, perhaps because it reads nothing.
bool DownstreamConnection::append(std::span<std::byte> frame) {
  if (is_closed()) return false;
  const std::size_t waiting = output_size();
  if (waiting > 0 && waiting + frame.size() > limits::kDownstreamQueueMaxBytes) {
    context_.counters.add(Counter::kSlowConsumers);
    context_.log.warn(LogKind::kSlowConsumer, context_.loop.now(),
                      "closed a consumer that does not read its answers: " +
                          std::to_string(waiting) + " bytes wait for it");
    close("it does not read its answers");
    return false;
  }
  append_output(frame);
  if (output_size() > limits::kDownstreamHighBytes && !reading_paused()) {
    pause_reading();
    context_.counters.add(Counter::kOutboundPaused);
  }
  return true;
}

bool DownstreamConnection::answer(std::span<std::byte> frame) {
  if (!append(frame)) return false;
  check(owed_ > 0, "a consumer is answered more often than it asked");
  --owed_;
  finish_if_nothing_owed();
  return true;
}

void DownstreamConnection::on_output_drained() {
  for (const auto& relay : relays_) relay->resume_reading();
  if (is_for_store_) return finish_if_nothing_owed();
  if (reading_paused()) resume_reading();
}

// The consumer sends nothing more, but may still wait for its answers.
void DownstreamConnection::on_end_of_input() {
  is_for_store_ = false;
  drain();
}

void DownstreamConnection::drain() {
  leaving_ = true;
  finish_if_nothing_owed();
}

// Requests that it has sent and of which nothing was read are the next process's.
void DownstreamConnection::leave() {
  is_for_store_ = is_kept() && !leaving_;
  if (is_for_store_) pause_reading();
  drain();
}

void DownstreamConnection::finish_if_nothing_owed() {
  if (!leaving_ || owed_ > 0 || !relays_.empty()) return;
  if (!is_for_store_) return finish();
  if (output_size() > 0) return;  // it is asked again when that is written
  if (is_at_boundary()) return leave_to_store();
  resume_reading();  // to the end of a request that has come in part
}

// --- from one process to the next

std::optional<CarriedConsumer> DownstreamConnection::carry() {
  const auto can_be = [](const auto& relay) { return relay->can_be_carried(); };
  if (leaving_ || !can_be_carried() || !std::ranges::all_of(relays_, can_be)) return std::nullopt;
  CarriedConsumer carried;
  if (owed_ > 0) {
    auto ends = stream_pair();
    if (!ends) return std::nullopt;
    carried.answers.push_back({.socket = {.fd = std::move(ends->first)}, .owed = owed_});
    peer_address();  // of the consumer, which the descriptor is not any more
    to_successor_ = std::move(ends->second);
  }
  auto socket = FrameConnection::carry();
  if (!socket) return std::nullopt;
  carried.socket = std::move(*socket);
  is_carried_ = true;
  for (const auto& relay : relays_) {
    auto answers = relay->carry();
    if (!answers) continue;
    carried.answers.push_back({.socket = std::move(*answers), .owed = relay->owed()});
  }
  return carried;
}

void DownstreamConnection::carry_back() {
  if (!std::exchange(is_carried_, false)) return;
  to_successor_.reset();
  for (const auto& relay : relays_) relay->carry_back();
  FrameConnection::carry_back();
}

void DownstreamConnection::leave_carried() {
  if (!std::exchange(is_carried_, false)) return;
  for (auto& relay : std::exchange(relays_, {})) {
    relay->leave_to_successor();
    context_.closed.push_back(std::move(relay));
  }
  if (!to_successor_.valid()) return FrameConnection::leave_to_successor();
  go_on_with(std::move(to_successor_));
  drain();
}

void DownstreamConnection::on_relayed(AnswerRelay& relay, std::span<std::byte> answer) {
  context_.counters.add(Counter::kAnswersOfPredecessor);
  if (append(answer) && output_size() > limits::kDownstreamHighBytes) relay.pause_reading();
}

void DownstreamConnection::on_relay_closed(AnswerRelay& relay) {
  const auto owned =
      std::ranges::find_if(relays_, [&](const auto& one) { return one.get() == &relay; });
  if (owned == relays_.end()) return;
  context_.closed.push_back(std::move(*owned));
  relays_.erase(owned);
  // As where a process ends with requests in flight: its consumers see the end, and need not wait.
  if (relay.owed() > 0) return close("an earlier process ended without all of its answers");
  finish_if_nothing_owed();
}

void DownstreamConnection::on_closed(const std::string& /*reason*/) {
  ticket_.reset();  // now, not when it is destroyed: who accepts the next one looks at it
  if (broke()) context_.counters.add(Counter::kOutboundLost);
  for (auto& relay : std::exchange(relays_, {})) {
    relay->close("its consumer has gone");
    context_.closed.push_back(std::move(relay));
  }
  outbound_.on_consumer_closed(*this);
}

}  // namespace skiff::forwarder
