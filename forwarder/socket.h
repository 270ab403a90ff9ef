#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <utility>

#include "dubbo/result.h"

namespace skiff::forwarder {

// A file descriptor that is closed with its owner.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    if (this != &other) {
      reset();
      fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
  }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  ~Fd() { reset(); }

  int get() const { return fd_; }
  // Another descriptor of the same file, closed on exec; invalid where there are too many.
  Fd duplicate() const;
  bool valid() const { return fd_ >= 0; }
  void reset();

 private:
  int fd_ = -1;
};

// A numeric IPv4 or IPv6 address with a port.
class SocketAddress {
 public:
  // `host` is numeric; fails with kInvalidArgument otherwise.
  static Result<SocketAddress> parse(const std::string& host, std::uint16_t port);
  static SocketAddress any_v6(
      std::uint16_t port);  // [::]:port, for IPv4 too where the socket allows
  static SocketAddress local_of(int fd);
  static SocketAddress peer_of(int fd);

  int family() const { return storage_.ss_family; }
  std::uint16_t port() const;
  std::string to_string() const;  // "10.0.0.5:20882", "[::1]:20882"; IPv4-mapped addresses as IPv4
  bool is_loopback() const;
  bool same_host(const SocketAddress& other) const;

  const sockaddr* data() const { return reinterpret_cast<const sockaddr*>(&storage_); }
  socklen_t size() const;

 private:
  std::string host() const;

  sockaddr_storage storage_{};
};

// A non-blocking, close-on-exec TCP socket that listens on `address`, sharing the port with the
// other workers' (SO_REUSEPORT), prepared. Fails with kUnavailable ("address in use", ...).
Result<Fd> listen_on(const SocketAddress& address, bool dual_stack);

// Sets what accepted sockets inherit: TCP_NODELAY and keepalive.
void prepare_listener(int socket);

// Fails with kUnavailable where somebody, another Skiff included, listens on `address` already:
// SO_REUSEPORT alone would let two agents share a port without a word.
Result<void> check_port_is_free(const SocketAddress& address, bool dual_stack);

// Begins to connect; the socket becomes writable when it is decided. Fails with kUnavailable where
// it is decided at once.
Result<Fd> connect_to(const SocketAddress& address);

// Two connected, non-blocking, close-on-exec stream sockets of this machine.
Result<std::pair<Fd, Fd>> stream_pair();

// The pending error of a socket (SO_ERROR), 0 if none.
int socket_error(int fd);

std::string errno_text(int error);

}  // namespace skiff::forwarder
