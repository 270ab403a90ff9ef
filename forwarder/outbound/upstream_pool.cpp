#include "forwarder/outbound/upstream_pool.h"

#include <algorithm>
#include <utility>

#include "dubbo/check.h"
#include "dubbo/url.h"
#include "forwarder/limits.h"
#include "forwarder/outbound/outbound.h"

namespace skiff::forwarder {

Endpoint::Fitness Endpoint::fitness(TimePoint now) const {
  if (!health.admits(now)) {
    return health.state() == EndpointHealth::State::kFailing ? Fitness::kFailing
                                                             : Fitness::kUnreachable;
  }
  return connection != nullptr && connection->is_readonly() ? Fitness::kLeaving : Fitness::kGood;
}

std::string Endpoint::describe() const {
  switch (health.state()) {
    case EndpointHealth::State::kFailing:
      return "failing: " + health.last_error();
    case EndpointHealth::State::kUnreachable:
      return "down: " + health.last_error();
    case EndpointHealth::State::kAdmitted:
      break;
  }
  if (connection == nullptr) return "idle";
  if (connection->is_connecting()) return "connecting";
  return connection->is_readonly() ? "readonly" : "connected";
}

Endpoint& UpstreamPool::acquire(const std::string& host, std::uint16_t port) {
  const std::string address = dubbo::format_host_port(host, port);
  auto& endpoint = endpoints_[address];
  if (!endpoint) endpoint = std::make_unique<Endpoint>(address, SocketAddress::parse(host, port));
  ++endpoint->references;
  return *endpoint;
}

void UpstreamPool::release(Endpoint& endpoint) {
  check(endpoint.references > 0, "an endpoint is released more often than acquired");
  if (--endpoint.references > 0) return;
  if (endpoint.connection != nullptr) endpoint.connection->retire();
  endpoints_.erase(endpoints_.find(endpoint.address));
}

UpstreamConnection* UpstreamPool::connection_to(Endpoint& endpoint) {
  if (endpoint.connection != nullptr) return endpoint.connection;
  if (!endpoint.socket) {
    note_unreachable(endpoint, endpoint.socket.error().message);
    return nullptr;
  }
  Result<Fd> fd = connect_to(*endpoint.socket);
  if (!fd) {
    note_unreachable(endpoint, fd.error().message);
    return nullptr;
  }
  auto connection =
      std::make_unique<UpstreamConnection>(context_, outbound_, *this, endpoint, std::move(*fd));
  UpstreamConnection& opened = *connection;
  opened.set_handle(connections_.add(std::move(connection)));
  if (const Result<void> started = opened.begin(); !started) {
    opened.close(started.error().message);
    return nullptr;
  }
  endpoint.connection = &opened;
  return &opened;
}

void UpstreamPool::connected(UpstreamConnection& connection) {
  context_.counters.add(Counter::kUpstreamConnects);
  if (Endpoint* endpoint = connection.endpoint(); endpoint != nullptr) {
    endpoint->health.note_reachable();
  }
}

void UpstreamPool::closed(UpstreamConnection& connection, bool was_connecting,
                          const std::string& reason) {
  if (Endpoint* endpoint = connection.endpoint(); endpoint != nullptr) {
    if (endpoint->connection == &connection) endpoint->connection = nullptr;
    if (was_connecting) note_unreachable(*endpoint, reason);
  }
  if (auto owned = connections_.remove(connection.handle()); owned) {
    outbound_.on_upstream_closed(std::move(owned), reason);
  }
}

void UpstreamPool::note_unreachable(Endpoint& endpoint, const std::string& reason) {
  context_.counters.add(Counter::kUpstreamConnectFailures);
  context_.log.warn(LogKind::kConnectFailed, context_.loop.now(),
                    "provider " + endpoint.address + " cannot be connected to: " + reason);
  if (endpoint.health.note_unreachable(context_.loop.now(), reason)) {
    context_.counters.add(Counter::kUpstreamEjections);
  }
}

void UpstreamPool::request_failed(const std::string& address, const std::string& reason) {
  const auto found = endpoints_.find(address);
  if (found == endpoints_.end()) return;  // no route leads there any more
  const auto& endpoint = found->second;
  if (!endpoint->health.note_failure(context_.loop.now(), reason)) return;
  context_.counters.add(Counter::kUpstreamEjections);
  context_.log.warn(LogKind::kEjected, context_.loop.now(),
                    "provider " + endpoint->address + " gets no requests for a while: " +
                        std::to_string(limits::kFailuresToEject) + " in a row failed; " + reason);
}

}  // namespace skiff::forwarder
