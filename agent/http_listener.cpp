#include "agent/http_listener.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace skiff::agent {
namespace {

using forwarder::Fd;
using forwarder::SocketAddress;

constexpr int kBacklog = 512;
constexpr mode_t kUnixSocketMode = 0660;

tl::unexpected<Error> cannot_listen(const ApiAddress& address, const std::string& why) {
  return fail(ErrorCode::kUnavailable,
              "--api: cannot listen on " + address.to_string() + ": " + why);
}

Result<Fd> listen_tcp(const ApiAddress& address) {
  const auto parsed = SocketAddress::parse(address.host, address.port);
  if (!parsed) return tl::unexpected<Error>(parsed.error());
  Fd fd(socket(parsed->family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const int on = 1;
  // Not SO_REUSEPORT: with it a second agent would silently take every other request.
  if (!fd.valid() || setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
      bind(fd.get(), parsed->data(), parsed->size()) != 0 || listen(fd.get(), kBacklog) != 0) {
    return cannot_listen(address, forwarder::errno_text(errno));
  }
  return fd;
}

// Removes the file of a socket that nobody serves any more. Fails where somebody does, or where
// something else is in its place.
Result<void> clear_stale_socket(const ApiAddress& address, const sockaddr_un& name) {
  struct stat info {};
  if (lstat(address.path.c_str(), &info) != 0) return {};
  if (!S_ISSOCK(info.st_mode)) return cannot_listen(address, "a file of another kind is there");
  const Fd probe(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const int connected =
      connect(probe.get(), reinterpret_cast<const sockaddr*>(&name), sizeof(name));
  if (connected == 0 || errno == EAGAIN) {
    return cannot_listen(address, "another process listens there");
  }
  unlink(address.path.c_str());
  return {};
}

Result<Fd> listen_unix(const ApiAddress& address) {
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  std::copy_n(address.path.begin(), std::min(address.path.size(), sizeof(name.sun_path) - 1),
              std::begin(name.sun_path));
  if (auto cleared = clear_stale_socket(address, name); !cleared) {
    return tl::unexpected<Error>(std::move(cleared.error()));
  }
  Fd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  // Nobody can connect before listen(), so the mode is set in time.
  if (!fd.valid() || bind(fd.get(), reinterpret_cast<const sockaddr*>(&name), sizeof(name)) != 0 ||
      chmod(address.path.c_str(), kUnixSocketMode) != 0 || listen(fd.get(), kBacklog) != 0) {
    return cannot_listen(address, forwarder::errno_text(errno));
  }
  return fd;
}

}  // namespace

Result<HttpListener> HttpListener::open(const ApiAddress& address) {
  auto fd = address.is_unix() ? listen_unix(address) : listen_tcp(address);
  if (!fd) return tl::unexpected<Error>(std::move(fd.error()));
  ApiAddress real = address;
  if (!real.is_unix()) real.port = SocketAddress::local_of(fd->get()).port();
  HttpListener listener(std::move(real), std::move(*fd));
  listener.own_file();
  return listener;
}

HttpListener::HttpListener(HttpListener&& other) noexcept
    : fd_(std::move(other.fd_)),
      address_(std::move(other.address_)),
      owns_file_(other.owns_file_) {}

void HttpListener::close() {
  if (!fd_.valid()) return;
  if (owns_file_ && address_.is_unix()) unlink(address_.path.c_str());
  fd_.reset();
}

}  // namespace skiff::agent
