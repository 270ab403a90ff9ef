#include "forwarder/stream_position.h"

// For tcpi_bytes_acked, which <netinet/tcp.h> does not have.
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

namespace skiff::forwarder {
namespace {

std::optional<std::uint64_t> acknowledged(int fd) {
  tcp_info info{};
  socklen_t size = sizeof(info);
  if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return std::nullopt;
  return info.tcpi_bytes_acked;
}

}  // namespace

std::optional<std::uint64_t> written_position(int fd) {
  constexpr int kTries = 100;  // the peer may acknowledge something between two questions
  for (int i = 0; i < kTries; ++i) {
    const auto before = acknowledged(fd);
    int queued = 0;
    if (!before || ioctl(fd, SIOCOUTQ, &queued) != 0) return std::nullopt;
    if (acknowledged(fd) == before) return *before + static_cast<std::uint64_t>(queued);
  }
  return std::nullopt;
}

}  // namespace skiff::forwarder
