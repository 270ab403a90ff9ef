#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "forwarder/outbound/connection_width.h"
#include "forwarder/outbound/endpoint_health.h"
#include "forwarder/outbound/endpoint_load.h"
#include "forwarder/socket.h"

namespace skiff::forwarder {

class UpstreamConnection;

// A provider's address as one worker sees it, shared by every route that lists it. Lives on its
// worker's thread.
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

  // What requests and their answers in flight there weigh, as far as it can be known.
  std::size_t bytes_in_flight() const;
  void note_answer(std::size_t bytes);
  bool is_connected() const;

  const std::string address;  // "10.0.0.5:20882"
  const Result<SocketAddress> socket;
  // What new requests use: the first one, and where much is in flight the others, too.
  std::vector<UpstreamConnection*> connections;
  ConnectionWidth width;
  std::uint32_t references = 0;  // of routes
  EndpointHealth health;
  EndpointLoad load;  // over all its connections

 private:
  bool is_leaving() const;

  std::size_t answer_bytes_ = 0;  // of a usual answer
};

}  // namespace skiff::forwarder
