#include "registry/socket_address.h"

#include <netinet/in.h>

#include <cstring>

namespace skiff::registry {

SocketAddress::SocketAddress(const IpAddress& address, std::uint16_t port) {
  if (address.is_v6()) {
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    std::memcpy(&v6.sin6_addr, address.bytes().data(), sizeof(v6.sin6_addr));
    std::memcpy(&storage, &v6, sizeof(v6));
    size = sizeof(v6);
  } else {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    std::memcpy(&v4.sin_addr, address.bytes().data(), sizeof(v4.sin_addr));
    std::memcpy(&storage, &v4, sizeof(v4));
    size = sizeof(v4);
  }
}

}  // namespace skiff::registry
