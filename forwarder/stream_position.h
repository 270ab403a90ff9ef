#pragma once

#include <cstdint>
#include <optional>

namespace skiff::forwarder {

// How many bytes the kernel has taken for the peer of a TCP connection, from the connection's
// beginning on, whichever process wrote them (tcpi_bytes_acked in RFC 4898's sense, and SIOCOUTQ);
// empty where it does not say.
std::optional<std::uint64_t> written_position(int fd);

}  // namespace skiff::forwarder
