#include "forwarder/outbound/upstream_pool.h"

#include <algorithm>
#include <utility>

#include "dubbo/check.h"
#include "dubbo/url.h"
#include "forwarder/limits.h"
#include "forwarder/outbound/outbound.h"

namespace skiff::forwarder {

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
  for (UpstreamConnection* connection : std::exchange(endpoint.connections, {})) {
    connection->retire();
  }
  endpoints_.erase(endpoints_.find(endpoint.address));
}

UpstreamConnection* UpstreamPool::connection_to(Endpoint& endpoint, std::uint32_t consumer) {
  if (endpoint.connections.empty()) {
    if (const auto opened = open(endpoint); !opened) {
      note_unreachable(endpoint, opened.error().message);
      return nullptr;
    }
  }
  fit_width(endpoint);
  const std::size_t wanted = consumer % endpoint.width.now();
  if (wanted < endpoint.connections.size()) {
    UpstreamConnection* own = endpoint.connections[wanted];
    if (!own->is_connecting()) return own;
  }
  return endpoint.connections.front();
}

// Makes as many connections as are worth their while; what is too much finishes what it has.
void UpstreamPool::fit_width(Endpoint& endpoint) {
  const TimePoint now = context_.loop.now();
  auto& connections = endpoint.connections;
  const bool shrinks = endpoint.width.update(endpoint.bytes_in_flight(), now);
  while (shrinks && connections.size() > endpoint.width.now()) {
    UpstreamConnection* last = connections.back();
    connections.pop_back();
    last->retire();
  }
  if (connections.size() >= endpoint.width.now() || connections.back()->is_connecting()) return;
  if (!open(endpoint)) endpoint.width.stop_growing(connections.size(), now);
}

Result<void> UpstreamPool::open(Endpoint& endpoint) {
  if (!endpoint.socket) return tl::unexpected(endpoint.socket.error());
  Result<Fd> fd = connect_to(*endpoint.socket);
  if (!fd) return tl::unexpected(fd.error());
  auto connection =
      std::make_unique<UpstreamConnection>(context_, outbound_, *this, endpoint, std::move(*fd));
  UpstreamConnection& opened = *connection;
  opened.set_handle(connections_.add(std::move(connection)));
  Result<void> started = opened.begin();
  if (started) {
    endpoint.connections.push_back(&opened);
  } else {
    opened.retire();  // which closes it
  }
  return started;
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
    std::erase(endpoint->connections, &connection);
    if (was_connecting && endpoint->is_connected()) {
      context_.counters.add(Counter::kUpstreamConnectFailures);
      endpoint->width.stop_growing(endpoint->connections.size(), context_.loop.now());
    } else if (was_connecting) {
      note_unreachable(*endpoint, reason);
    }
  }
  if (auto owned = connections_.remove(connection.handle()); owned) {
    outbound_.on_upstream_closed(std::move(owned), reason);
  }
}

bool UpstreamPool::has_output() {
  bool found = false;
  connections_.for_each(
      [&found](UpstreamConnection& one) { found = found || one.output_size() > 0; });
  return found;
}

void UpstreamPool::retire_further(UpstreamConnection& connection) {
  std::erase(connection.endpoint()->connections, &connection);
  connection.retire();
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
