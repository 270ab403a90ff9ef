#include "forwarder/socket.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>

namespace skiff::forwarder {
namespace {

constexpr int kListenBacklog = 4096;
// A peer that vanished without a word is noticed after 60 + 3 * 20 seconds.
constexpr int kKeepaliveIdleSeconds = 60;
constexpr int kKeepaliveIntervalSeconds = 20;
constexpr int kKeepaliveProbes = 3;

void set_option(int fd, int level, int name, int value) {
  setsockopt(fd, level, name, &value, sizeof value);
}

const sockaddr_in& as_v4(const sockaddr_storage& storage) {
  return reinterpret_cast<const sockaddr_in&>(storage);
}
const sockaddr_in6& as_v6(const sockaddr_storage& storage) {
  return reinterpret_cast<const sockaddr_in6&>(storage);
}

Result<Fd> bind_to(const SocketAddress& address, bool dual_stack, bool share_port) {
  Fd fd(socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return fail(ErrorCode::kUnavailable, "socket: " + errno_text(errno));
  set_option(fd.get(), SOL_SOCKET, SO_REUSEADDR, 1);
  if (share_port) set_option(fd.get(), SOL_SOCKET, SO_REUSEPORT, 1);
  if (address.family() == AF_INET6) {
    set_option(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, dual_stack ? 0 : 1);
  }
  if (bind(fd.get(), address.data(), address.size()) != 0) {
    return fail(ErrorCode::kUnavailable, address.to_string() + ": " + errno_text(errno));
  }
  return fd;
}

}  // namespace

Fd Fd::duplicate() const { return Fd(fcntl(fd_, F_DUPFD_CLOEXEC, 0)); }

void Fd::reset() {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
}

Result<SocketAddress> SocketAddress::parse(const std::string& host, std::uint16_t port) {
  SocketAddress address;
  auto& v4 = reinterpret_cast<sockaddr_in&>(address.storage_);
  auto& v6 = reinterpret_cast<sockaddr_in6&>(address.storage_);
  if (inet_pton(AF_INET, host.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
  } else if (inet_pton(AF_INET6, host.c_str(), &v6.sin6_addr) == 1) {
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
  } else {
    return fail(ErrorCode::kInvalidArgument,
                "address '" + host + "': expected a numeric IPv4 or IPv6 address");
  }
  return address;
}

SocketAddress SocketAddress::any_v6(std::uint16_t port) {
  SocketAddress address;
  auto& v6 = reinterpret_cast<sockaddr_in6&>(address.storage_);
  v6.sin6_family = AF_INET6;
  v6.sin6_addr = in6addr_any;
  v6.sin6_port = htons(port);
  return address;
}

SocketAddress SocketAddress::local_of(int fd) {
  SocketAddress address;
  socklen_t size = sizeof address.storage_;
  getsockname(fd, reinterpret_cast<sockaddr*>(&address.storage_), &size);
  return address;
}

SocketAddress SocketAddress::peer_of(int fd) {
  SocketAddress address;
  socklen_t size = sizeof address.storage_;
  getpeername(fd, reinterpret_cast<sockaddr*>(&address.storage_), &size);
  return address;
}

std::uint16_t SocketAddress::port() const {
  return ntohs(family() == AF_INET6 ? as_v6(storage_).sin6_port : as_v4(storage_).sin_port);
}

std::string SocketAddress::host() const {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (family() == AF_INET) {
    inet_ntop(AF_INET, &as_v4(storage_).sin_addr, text.data(), text.size());
  } else if (family() == AF_INET6) {
    const in6_addr& v6 = as_v6(storage_).sin6_addr;
    if (IN6_IS_ADDR_V4MAPPED(&v6)) {
      inet_ntop(AF_INET, &v6.s6_addr[12], text.data(), text.size());
    } else {
      inet_ntop(AF_INET6, &v6, text.data(), text.size());
    }
  }
  return text.data();
}

std::string SocketAddress::to_string() const {
  const std::string name = host();
  const std::string port_text = std::to_string(port());
  if (name.find(':') == std::string::npos) return name + ":" + port_text;
  return "[" + name + "]:" + port_text;
}

bool SocketAddress::is_loopback() const {
  const std::string name = host();
  return name == "::1" || name.starts_with("127.");
}

bool SocketAddress::same_host(const SocketAddress& other) const { return host() == other.host(); }

socklen_t SocketAddress::size() const {
  return family() == AF_INET6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
}

void prepare_listener(int socket) {
  set_option(socket, IPPROTO_TCP, TCP_NODELAY, 1);
  set_option(socket, SOL_SOCKET, SO_KEEPALIVE, 1);
  set_option(socket, IPPROTO_TCP, TCP_KEEPIDLE, kKeepaliveIdleSeconds);
  set_option(socket, IPPROTO_TCP, TCP_KEEPINTVL, kKeepaliveIntervalSeconds);
  set_option(socket, IPPROTO_TCP, TCP_KEEPCNT, kKeepaliveProbes);
}

Result<Fd> listen_on(const SocketAddress& address, bool dual_stack) {
  Result<Fd> fd = bind_to(address, dual_stack, true);
  if (!fd) return fd;
  prepare_listener(fd->get());
  if (listen(fd->get(), kListenBacklog) != 0) {
    return fail(ErrorCode::kUnavailable, address.to_string() + ": " + errno_text(errno));
  }
  return fd;
}

Result<void> check_port_is_free(const SocketAddress& address, bool dual_stack) {
  if (address.port() == 0) return {};
  const Result<Fd> probe = bind_to(address, dual_stack, false);
  if (!probe) return tl::unexpected(probe.error());
  return {};
}

Result<Fd> connect_to(const SocketAddress& address) {
  Fd fd(socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return fail(ErrorCode::kUnavailable, "socket: " + errno_text(errno));
  set_option(fd.get(), IPPROTO_TCP, TCP_NODELAY, 1);
  if (connect(fd.get(), address.data(), address.size()) != 0 && errno != EINPROGRESS) {
    return fail(ErrorCode::kUnavailable, errno_text(errno));
  }
  return fd;
}

Result<std::pair<Fd, Fd>> stream_pair() {
  std::array<int, 2> ends{};
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return fail(ErrorCode::kUnavailable, "socketpair: " + errno_text(errno));
  }
  return std::pair(Fd(ends[0]), Fd(ends[1]));
}

int socket_error(int fd) {
  int error = 0;
  socklen_t size = sizeof error;
  if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0) return errno;
  return error;
}

std::string errno_text(int error) {
  std::string text = std::generic_category().message(error);
  if (!text.empty() && text[0] >= 'A' && text[0] <= 'Z') text[0] = static_cast<char>(text[0] + 32);
  return text;
}

}  // namespace skiff::forwarder
