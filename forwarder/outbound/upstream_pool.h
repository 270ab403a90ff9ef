#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "forwarder/handle_table.h"
#include "forwarder/outbound/endpoint_health.h"
#include "forwarder/outbound/upstream_connection.h"
#include "forwarder/socket.h"
#include "forwarder/text_map.h"
#include "forwarder/worker_context.h"

namespace skiff::forwarder {

class Outbound;

// A provider's address as one worker sees it, shared by every route that lists it.
class Endpoint {
 public:
  Endpoint(std::string endpoint_address, Result<SocketAddress> socket_address)
      : address(std::move(endpoint_address)), socket(std::move(socket_address)) {}

  // How good a choice it is now.
  enum class Fitness {
    kGood,         // connected, or nothing is known against it
    kLeaving,      // it said READONLY: only where nobody better is there
    kFailing,      // requests to it fail
    kUnreachable,  // the last attempt to connect failed a moment ago
  };
  Fitness fitness(TimePoint now) const;
  // "connected", "connecting", "idle", "readonly", "failing: no answer within 3000 ms",
  // "down: connection refused"
  std::string describe() const;

  const std::string address;  // "10.0.0.5:20882"
  const Result<SocketAddress> socket;
  UpstreamConnection* connection = nullptr;  // what new requests use
  std::uint32_t references = 0;              // of routes
  EndpointHealth health;
};

// The endpoints and upstream connections of one worker. Lives on its worker's thread.
class UpstreamPool {
 public:
  UpstreamPool(WorkerContext& context, Outbound& outbound)
      : context_(context), outbound_(outbound) {}

  // Endpoints are counted: one release() for each acquire(). The last one closes the connection
  // when nothing is in flight.
  Endpoint& acquire(const std::string& host, std::uint16_t port);
  void release(Endpoint& endpoint);

  // A connection for new requests, perhaps still connecting; nullptr where it failed at once
  // (endpoint.health.last_error()).
  UpstreamConnection* connection_to(Endpoint& endpoint);

  // From UpstreamConnection.
  void connected(UpstreamConnection& connection);
  void closed(UpstreamConnection& connection, bool was_connecting, const std::string& reason);

  // A request that was sent to the provider at `address` came to nothing.
  void request_failed(const std::string& address, const std::string& reason);

  std::size_t open_connections() const { return connections_.size(); }
  template <typename Visit>
  void for_each_endpoint(Visit visit) const {
    for (const auto& [address, endpoint] : endpoints_) visit(*endpoint);
  }

 private:
  void note_unreachable(Endpoint& endpoint, const std::string& reason);

  WorkerContext& context_;
  Outbound& outbound_;
  TextMap<std::unique_ptr<Endpoint>> endpoints_;
  HandleTable<UpstreamConnection> connections_;
};

}  // namespace skiff::forwarder
