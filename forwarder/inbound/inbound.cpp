#include "forwarder/inbound/inbound.h"

#include <utility>

#include "forwarder/limits.h"

namespace skiff::forwarder {

Inbound::Inbound(WorkerContext& context)
    : context_(context),
      services_(context.config.provider_port),
      readonly_timer_([](void* self) { static_cast<Inbound*>(self)->close_readonly(); }, this) {
  services_.update({});
}

Inbound::~Inbound() = default;

void Inbound::accept(AcceptedSocket socket) {
  if (connections_.size() >= limits::kConnectionsMax) {
    context_.counters.add(Counter::kConnectionsRefused);
    context_.log.warn(LogKind::kLimit, context_.loop.now(),
                      "too many connections are open; further ones are closed");
    return;
  }
  context_.counters.add(Counter::kInboundConnections);
  auto owned = std::make_unique<InboundConnection>(context_, *this, std::move(socket));
  InboundConnection& connection = *owned;
  const Handle handle = connections_.add(std::move(owned));
  if (const Result<void> started = connection.begin(handle); !started) {
    connection.close(started.error().message);
  }
}

void Inbound::adopt(CarriedInbound carried, ConnectionTicket ticket) {
  context_.counters.add(Counter::kInboundAdopted);
  auto owned = std::make_unique<InboundConnection>(
      context_, *this, AcceptedSocket{std::move(carried.socket.fd), std::move(ticket)});
  InboundConnection& connection = *owned;
  const Handle handle = connections_.add(std::move(owned));
  if (const Result<void> started = connection.begin(handle, std::move(carried)); !started) {
    connection.close(started.error().message);
  }
}

void Inbound::carry(std::vector<CarriedInbound>& carried, std::size_t most) {
  connections_.for_each([&](InboundConnection& connection) {
    if (carried.size() >= most) return;
    if (auto one = connection.carry()) carried.push_back(std::move(*one));
  });
}

void Inbound::carry_back() {
  connections_.for_each([](InboundConnection& connection) { connection.carry_back(); });
}

void Inbound::leave_carried() {
  connections_.for_each([](InboundConnection& connection) { connection.leave_carried(); });
}

void Inbound::leave_to_successor() {
  connections_.for_each([](InboundConnection& connection) { connection.drain(); });
}

void Inbound::update_services(const std::vector<LocalServicePort>& services) {
  services_.update(services);
  connections_.for_each([](InboundConnection& connection) {
    connection.let_go();
    connection.follow_providers();
  });
}

void Inbound::on_readonly() {
  if (!readonly_timer_.armed()) {
    context_.loop.arm(readonly_timer_, limits::kDeadProviderPollInterval);
  }
}

void Inbound::close_readonly() {
  bool any_left = false;
  connections_.for_each([&any_left](InboundConnection& connection) {
    connection.finish_if_readonly();
    any_left = any_left || connection.is_readonly();
  });
  if (any_left) on_readonly();
}

void Inbound::on_connection_closed(InboundConnection& connection) {
  if (auto owned = connections_.remove(connection.handle()); owned) {
    context_.closed.push_back(std::move(owned));
  }
}

void Inbound::drain() {
  connections_.for_each([](InboundConnection& connection) { connection.drain(); });
}

void Inbound::finish_quiet() {
  connections_.for_each([](InboundConnection& connection) { connection.finish_if_quiet(); });
}

void Inbound::add_traffic_of(const std::vector<std::uint16_t>& ports, LocalTraffic& sum) {
  connections_.for_each([&](const InboundConnection& connection) {
    for (const std::uint16_t port : ports) connection.add_traffic_of(port, sum);
  });
}

std::size_t Inbound::in_flight() {
  std::size_t sum = 0;
  connections_.for_each([&](const InboundConnection& connection) { sum += connection.pending(); });
  return sum;
}

}  // namespace skiff::forwarder
