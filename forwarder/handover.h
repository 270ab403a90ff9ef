#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "forwarder/inbound/pending_requests.h"
#include "forwarder/socket.h"

// What one process gives its successor on the same machine, so that no connection ends with it: a
// descriptor each, and the bytes between the kernel and whole frames. How it gets there is not this
// room's matter.
namespace skiff::forwarder {

// Of one worker each, or more; all of them belong to the port's group (SO_REUSEPORT): where one is
// closed, connections that wait to be accepted by it are reset.
struct CarriedListeners {
  std::vector<Fd> outbound;
  std::vector<Fd> inbound;
};

struct CarriedSocket {
  Fd fd;
  bool is_connecting = false;
  std::vector<std::byte> unread{};     // read, and not handled: the beginning of a frame
  std::uint32_t skipped_left = 0;      // bytes to come of a body over the limit
  std::vector<std::byte> unwritten{};  // what the peer is still to be sent
  std::uint32_t half_sent = 0;         // bytes in front of it that end a frame begun before
};

// A connection to the outbound port.
struct CarriedConsumer {
  // On each of these a predecessor writes its answers to requests that it has in flight, frame by
  // frame, and closes it after the last one.
  struct Answers {
    CarriedSocket socket;
    std::uint32_t owed = 0;  // answers that are still to come
  };
  CarriedSocket socket;
  std::vector<Answers> answers{};
};

// A connection to the inbound port, with those to local providers that belong to it.
struct CarriedInbound {
  struct Link {
    CarriedSocket socket;
    std::uint16_t port = 0;
  };
  CarriedSocket socket;
  std::vector<Link> links;
  std::vector<PendingRequest> pending;
  std::vector<PendingRequest> callbacks;
  std::vector<std::uint16_t> used_ports;
};

struct CarriedConnections {
  // When the first of them was read from no more; a clock that is the same in all processes.
  std::chrono::steady_clock::time_point stopped_at{};
  std::vector<CarriedConsumer> consumers;
  std::vector<CarriedInbound> inbound;
};

// How many went over.
struct HandedOver {
  std::size_t consumers = 0;
  std::size_t inbound = 0;
};

}  // namespace skiff::forwarder
