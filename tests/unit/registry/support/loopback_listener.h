#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <functional>
#include <stdexcept>
#include <thread>

namespace skiff::registry {

// A free port of loopback on which one connection is served as the test says, then closed.
class LoopbackListener {
 public:
  using Serve = std::function<void(int peer)>;

  explicit LoopbackListener(Serve serve) : fd_(listen_on_free_port()), port_(port_of(fd_)) {
    thread_ = std::thread([fd = fd_, serve = std::move(serve)] {
      const int peer = accept(fd, nullptr, nullptr);
      if (peer < 0) return;
      serve(peer);
      close(peer);
    });
  }
  ~LoopbackListener() {
    shutdown(fd_, SHUT_RDWR);
    thread_.join();
    close(fd_);
  }

  LoopbackListener(const LoopbackListener&) = delete;
  LoopbackListener& operator=(const LoopbackListener&) = delete;

  std::uint16_t port() const { return port_; }

  // A port that was free a moment ago.
  static std::uint16_t unused_port() {
    const int fd = listen_on_free_port();
    const std::uint16_t port = port_of(fd);
    close(fd);
    return port;
  }

 private:
  static int listen_on_free_port() {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    constexpr int kBacklog = 16;
    if (bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0 ||
        listen(fd, kBacklog) != 0) {
      close(fd);
      throw std::runtime_error("cannot listen on a free port");
    }
    return fd;
  }
  static std::uint16_t port_of(int fd) {
    sockaddr_in address{};
    socklen_t size = sizeof(address);
    getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
    return ntohs(address.sin_port);
  }

  const int fd_;
  const std::uint16_t port_;
  std::thread thread_;
};

}  // namespace skiff::registry
