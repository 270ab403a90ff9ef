// The machine's interfaces, routes and resolver, as the choice of the advertised address sees them.

#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <system_error>

#include "registry/advertise_address.h"
#include "registry/socket_address.h"

namespace skiff::registry {
namespace {

std::string error_text(int error) { return std::generic_category().message(error); }

class Socket {
 public:
  explicit Socket(int fd) : fd_(fd) {}
  ~Socket() {
    if (fd_ >= 0) close(fd_);
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  int fd() const { return fd_; }

 private:
  int fd_;
};

class SystemNetwork final : public NetworkView {
 public:
  std::vector<InterfaceAddress> addresses() const override {
    std::vector<InterfaceAddress> result;
    ifaddrs* list = nullptr;
    if (getifaddrs(&list) != 0) return result;
    const std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> owner(list, &freeifaddrs);
    for (const ifaddrs* entry = list; entry != nullptr; entry = entry->ifa_next) {
      const auto address = IpAddress::from(entry->ifa_addr);
      if (address && (entry->ifa_flags & static_cast<unsigned>(IFF_UP)) != 0) {
        result.push_back({entry->ifa_name, *address});
      }
    }
    return result;
  }

  Result<InterfaceAddress> source_towards(const IpAddress& destination) const override {
    const Socket udp(
        socket(destination.is_v6() ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    constexpr std::uint16_t kAnyPort = 9;  // connecting a UDP socket sends nothing
    SocketAddress to(destination, kAnyPort);
    SocketAddress from;
    if (udp.fd() < 0 || connect(udp.fd(), to.get(), to.size) != 0 ||
        getsockname(udp.fd(), from.get(), &from.size) != 0) {
      return fail(ErrorCode::kUnavailable, error_text(errno));
    }
    const auto address = IpAddress::from(from.get());
    if (!address) return fail(ErrorCode::kUnavailable, "the system names no source address");
    for (InterfaceAddress& candidate : addresses()) {
      if (candidate.address == *address) return std::move(candidate);
    }
    return InterfaceAddress{"an unknown interface", *address};
  }
};

}  // namespace

const NetworkView& system_network() {
  static const SystemNetwork network;
  return network;
}

Result<IpAddress> resolve_host(const std::string& host) {
  if (const auto numeric = IpAddress::parse(host)) return *numeric;
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  if (const int error = getaddrinfo(host.c_str(), nullptr, &hints, &list); error != 0) {
    return fail(ErrorCode::kUnavailable, "cannot resolve \"" + host + "\": " + gai_strerror(error));
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(list, &freeaddrinfo);
  for (const addrinfo* entry = list; entry != nullptr; entry = entry->ai_next) {
    if (const auto address = IpAddress::from(entry->ai_addr)) return *address;
  }
  return fail(ErrorCode::kUnavailable, "\"" + host + "\" has no IP address");
}

}  // namespace skiff::registry
