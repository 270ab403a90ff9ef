#include "forwarder/inbound/inbound.h"

#include <utility>

#include "forwarder/limits.h"

namespace skiff::forwarder {

Inbound::Inbound(WorkerContext& context)
    : context_(context), services_(context.config.provider_port) {
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

void Inbound::update_services(const std::vector<LocalServicePort>& services) {
  services_.update(services);
  connections_.for_each([](InboundConnection& connection) { connection.let_go(); });
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

std::size_t Inbound::in_flight() {
  std::size_t sum = 0;
  connections_.for_each([&](const InboundConnection& connection) { sum += connection.pending(); });
  return sum;
}

}  // namespace skiff::forwarder
