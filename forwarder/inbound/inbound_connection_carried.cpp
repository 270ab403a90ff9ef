// How an inbound connection goes from one process to its successor, with those to local providers.

#include <algorithm>
#include <utility>

#include "forwarder/inbound/inbound.h"
#include "forwarder/inbound/inbound_connection.h"

namespace skiff::forwarder {

Result<void> InboundConnection::begin(Handle handle, CarriedInbound carried) {
  handle_ = handle;
  for (CarriedInbound::Link& link : carried.links) {
    links_.push_back(std::make_unique<ProviderLink>(
        context_, *this, link.port, std::move(link.socket.fd), link.socket.is_connecting));
    if (Result<void> started = links_.back()->begin_from(link.socket); !started) return started;
  }
  for (const PendingRequest& request : carried.pending) pending_.add(request);
  for (const PendingRequest& callback : carried.callbacks) callbacks_.add(callback);
  if (pending_.size() + callbacks_.size() > 0) {
    context_.loop.arm(abandoned_timer_, context_.config.abandoned_time);
  }
  for (const std::uint16_t port : carried.used_ports) {
    used_ports_.push_back({port, context_.loop.now()});
  }
  return start_from(carried.socket);
}

std::optional<CarriedInbound> InboundConnection::carry() {
  const bool is_ending = leaving_ || is_readonly() || draining_since_ != TimePoint{};
  const auto can_be = [](const auto& link) { return link->can_be_carried(); };
  if (is_ending || !can_be_carried() || !std::ranges::all_of(links_, can_be)) return std::nullopt;
  CarriedInbound carried;
  is_carried_ = true;
  std::vector<ProviderLink*> links;  // what carries one may close it, and take it out of links_
  for (const auto& link : links_) links.push_back(link.get());
  for (ProviderLink* link : links) {
    auto one = link->carry();
    if (one) carried.links.push_back({std::move(*one), link->port()});
  }
  // After the links: where one turns out to be lost, its requests are answered here.
  auto socket = FrameConnection::carry();
  if (!socket) {
    is_carried_ = false;
    for (const auto& link : links_) link->carry_back();
    return std::nullopt;
  }
  carried.socket = std::move(*socket);
  carried.pending = pending_.all();
  carried.callbacks = callbacks_.all();
  for (const UsedPort& used : used_ports_) carried.used_ports.push_back(used.port);
  return carried;
}

void InboundConnection::carry_back() {
  if (!std::exchange(is_carried_, false)) return;
  for (const auto& link : links_) link->carry_back();
  FrameConnection::carry_back();
}

void InboundConnection::leave_carried() {
  if (!std::exchange(is_carried_, false)) return;
  for (const auto& link : links_) link->leave_output_to_successor();
  FrameConnection::leave_to_successor();  // and the links with it
}

}  // namespace skiff::forwarder
