#include "forwarder/inbound/provider_link.h"

#include <chrono>
#include <vector>

#include "dubbo/response.h"
#include "forwarder/inbound/inbound_connection.h"
#include "forwarder/limits.h"

namespace skiff::forwarder {

ProviderLink::ProviderLink(WorkerContext& context, InboundConnection& owner, std::uint16_t port,
                           Fd fd, bool is_connecting)
    : FrameConnection(context.loop, std::move(fd), is_connecting, context.config.body_limit,
                      {context.counters.of(Counter::kProviderReceivedBytes),
                       context.counters.of(Counter::kProviderSentBytes)}),
      context_(context),
      owner_(owner),
      port_(port),
      silence_(context.config.heartbeat_interval),
      timer_([](void* self) { static_cast<ProviderLink*>(self)->on_timer(); }, this) {}

Result<void> ProviderLink::begin() {
  context_.loop.arm(timer_, context_.config.connect_timeout);
  return start();
}

Result<void> ProviderLink::begin_from(const CarriedSocket& carried) {
  was_connected_ = !carried.is_connecting;
  context_.loop.arm(timer_, was_connected_ ? context_.config.heartbeat_interval
                                           : context_.config.connect_timeout);
  return start_from(carried);
}

void ProviderLink::on_connected() {
  was_connected_ = true;
  context_.counters.add(Counter::kProviderConnects);
  context_.loop.arm(timer_, context_.config.heartbeat_interval);
}

void ProviderLink::on_timer() {
  if (is_connecting()) {
    return close("no connection within " + std::to_string(context_.config.connect_timeout.count()) +
                 " ms");
  }
  if (reading_paused()) {  // its silence is our own doing
    return context_.loop.arm(timer_, context_.config.heartbeat_interval);
  }
  const auto [step, next_look] = silence_.check(context_.loop.now(), last_read());
  if (step == SilenceWatch::Step::kGiveUp) {
    return close("no answer to " + std::to_string(limits::kSilentHeartbeatsMax) + " heartbeats");
  }
  context_.loop.arm(timer_, next_look);
  if (step == SilenceWatch::Step::kWait) return;
  std::vector<std::byte> frame;
  dubbo::append_heartbeat_request(0, frame);
  append_copy(frame);
  context_.counters.add(Counter::kHeartbeatsSent);
}

std::size_t ProviderLink::unsent_one_way() {
  std::size_t count = 0;
  output().for_each_unsent_frame([&count](const Frame& frame) {
    if (frame.header.is_request && !frame.header.is_event && !frame.header.is_two_way) ++count;
  });
  return count;
}

void ProviderLink::on_frame(const Frame& frame) { owner_.on_provider_frame(*this, frame); }

FrameConnection::OversizedFrame ProviderLink::on_oversized(const dubbo::FrameHeader& header) {
  owner_.on_provider_oversized(*this, header);
  if (header.body_size > limits::kSkippedBodyMax) close("it sent a frame too long to be skipped");
  return OversizedFrame::kSkipIt;
}

void ProviderLink::on_foreign_bytes(dubbo::Bytes bytes) {
  context_.counters.add(Counter::kForeignProtocol);
  context_.log.warn(LogKind::kForeignProtocol, context_.loop.now(),
                    "the provider on local port " + std::to_string(port_) +
                        " does not speak Dubbo: it sent " +
                        std::string(dubbo::guess_foreign_protocol(bytes)));
}

void ProviderLink::on_output_drained() { owner_.on_provider_drained(); }

void ProviderLink::on_closed(const std::string& reason) {
  timer_.cancel();
  owner_.on_provider_closed(*this, !was_connected_, reason);
}

}  // namespace skiff::forwarder
