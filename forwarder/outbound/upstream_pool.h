#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "forwarder/handle_table.h"
#include "forwarder/outbound/endpoint.h"
#include "forwarder/outbound/upstream_connection.h"
#include "forwarder/text_map.h"
#include "forwarder/worker_context.h"

namespace skiff::forwarder {

class Outbound;

// How far a look at all endpoints has come.
struct EndpointCursor {
  std::size_t next = 0;
  std::size_t buckets = 0;
  std::size_t ejected = 0;  // of those that were visited
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

  // A connection for a request of the consumer of that number, perhaps still connecting; nullptr
  // where it failed at once (endpoint.health.last_error()). Where an endpoint has several, a
  // consumer's requests keep to one, so that they still leave together.
  UpstreamConnection* connection_to(Endpoint& endpoint, std::uint32_t consumer);

  // From UpstreamConnection.
  void connected(UpstreamConnection& connection);
  void closed(UpstreamConnection& connection, bool was_connecting, const std::string& reason);

  // Closes a further connection to its provider, on which nothing is in flight.
  void retire_further(UpstreamConnection& connection);

  // A request that was sent to the provider at `address` came to nothing.
  void request_failed(const std::string& address, const std::string& reason);

  // Whether something waits to be written to a provider.
  bool has_output();
  std::size_t open_connections() const { return connections_.size(); }
  // Visits about `count` endpoints, from where `cursor` stands; false where there are no more.
  // Where the table was built anew in between, all come again.
  template <typename Visit>
  bool visit_some(EndpointCursor& cursor, std::size_t count, Visit visit) const {
    if (cursor.buckets != endpoints_.bucket_count()) {
      cursor = {.next = 0, .buckets = endpoints_.bucket_count(), .ejected = 0};
    }
    const std::size_t end = std::min(cursor.buckets, cursor.next + count);
    for (; cursor.next < end; ++cursor.next) {
      const std::size_t bucket = cursor.next;
      for (auto i = endpoints_.begin(bucket); i != endpoints_.end(bucket); ++i) {
        const Endpoint& endpoint = *i->second;
        if (endpoint.health.state() != EndpointHealth::State::kAdmitted) ++cursor.ejected;
        visit(endpoint);
      }
    }
    return end < cursor.buckets;
  }

 private:
  Result<void> open(Endpoint& endpoint);
  void fit_width(Endpoint& endpoint);
  void note_unreachable(Endpoint& endpoint, const std::string& reason);

  WorkerContext& context_;
  Outbound& outbound_;
  TextMap<std::unique_ptr<Endpoint>> endpoints_;
  HandleTable<UpstreamConnection> connections_;
};

}  // namespace skiff::forwarder
