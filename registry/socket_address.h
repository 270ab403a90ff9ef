#pragma once

#include <sys/socket.h>

#include <cstdint>

#include "registry/ip_address.h"

namespace skiff::registry {

// An address as the socket interface wants it; without one, room for any.
struct SocketAddress {
  SocketAddress() = default;
  SocketAddress(const IpAddress& address, std::uint16_t port);

  sockaddr* get() {
    return reinterpret_cast<sockaddr*>(&storage);  // the socket interface's own idiom
  }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }

  sockaddr_storage storage{};
  socklen_t size = sizeof(storage);
};

}  // namespace skiff::registry
