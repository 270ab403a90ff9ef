#include "support/scripted_listener.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stdexcept>
#include <utility>

namespace skiff::registry {

std::string ScriptedListener::Connection::read(std::size_t bytes) {
  std::string result(bytes, '\0');
  std::size_t size = 0;
  while (size < bytes) {
    const ssize_t got = recv(fd_, result.data() + size, bytes - size, 0);
    if (got <= 0) break;
    size += static_cast<std::size_t>(got);
  }
  result.resize(size);
  return result;
}

bool ScriptedListener::Connection::write(const std::string& bytes) {
  return send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size());
}

ScriptedListener::ScriptedListener(Script script, std::uint16_t port)
    : script_(std::move(script)), fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  const int on = 1;
  setsockopt(fd_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  constexpr int kBacklog = 64;
  if (bind(fd_, generic, size) != 0 || listen(fd_, kBacklog) != 0 ||
      getsockname(fd_, generic, &size) != 0) {
    close(fd_);
    throw std::runtime_error("cannot listen on port " + std::to_string(port));
  }
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { serve(); });
}

ScriptedListener::~ScriptedListener() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
    if (current_ >= 0) shutdown(current_, SHUT_RDWR);
  }
  shutdown(fd_, SHUT_RDWR);
  thread_.join();
  close(fd_);
}

void ScriptedListener::serve() {
  while (true) {
    const int fd = accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) return;
    {
      const std::lock_guard lock(mutex_);
      if (ending_) {
        close(fd);
        return;
      }
      current_ = fd;
    }
    ++connections_;
    Connection connection(fd);
    script_(connection);
    const std::lock_guard lock(mutex_);
    current_ = -1;
    close(fd);
  }
}

}  // namespace skiff::registry
