#include "descriptors.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <sstream>
#include <string_view>
#include <utility>

namespace skiff::service_manager {
namespace {

using forwarder::Fd;

constexpr std::size_t kTextBytes = 4096;
constexpr std::size_t kControlBytes = 4096;

bool is_same_file(int a, int b) {
  struct stat one {};
  struct stat other {};
  return fstat(a, &one) == 0 && fstat(b, &other) == 0 && one.st_dev == other.st_dev &&
         one.st_ino == other.st_ino;
}

bool has_hung_up(int fd) {
  pollfd one{.fd = fd, .events = 0, .revents = 0};
  return poll(&one, 1, 0) > 0 && (one.revents & (POLLHUP | POLLERR)) != 0;
}

void take_control(const cmsghdr& control, Notification& notification) {
  const auto* data = CMSG_DATA(&control);
  if (control.cmsg_type == SCM_CREDENTIALS) {
    ucred credentials{};
    std::memcpy(&credentials, data, sizeof(credentials));
    notification.sender = credentials.pid;
  }
  if (control.cmsg_type != SCM_RIGHTS) return;
  std::vector<int> fds((control.cmsg_len - CMSG_LEN(0)) / sizeof(int));
  std::memcpy(fds.data(), data, fds.size() * sizeof(int));
  for (const int fd : fds) notification.descriptors.emplace_back(fd);
}

}  // namespace

bool Notification::has(const std::string& line) const {
  return std::ranges::find(lines, line) != lines.end();
}

std::string Notification::value(const std::string& name) const {
  const std::string begin = name + "=";
  for (const std::string& line : lines) {
    if (line.starts_with(begin)) return line.substr(begin.size());
  }
  return {};
}

NotifySocket::NotifySocket(const std::string& path)
    : fd_(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::copy_n(path.begin(), std::min(path.size(), sizeof(address.sun_path) - 1),
              std::begin(address.sun_path));
  const int on = 1;
  if (bind(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0 ||
      setsockopt(fd_.get(), SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) != 0) {
    std::perror(path.c_str());
    std::exit(1);
  }
}

Notification NotifySocket::receive() const {
  std::array<char, kTextBytes> text{};
  alignas(cmsghdr) std::array<char, kControlBytes> control{};
  iovec part{.iov_base = text.data(), .iov_len = text.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  Notification notification;
  const ssize_t size = recvmsg(fd_.get(), &message, MSG_CMSG_CLOEXEC);
  if (size < 0) return notification;
  for (cmsghdr* one = CMSG_FIRSTHDR(&message); one != nullptr; one = CMSG_NXTHDR(&message, one)) {
    take_control(*one, notification);
  }
  std::istringstream lines(std::string(text.data(), static_cast<std::size_t>(size)));
  for (std::string line; std::getline(lines, line);) notification.lines.push_back(line);
  return notification;
}

void Store::add(const std::string& name, std::vector<Fd> descriptors) {
  for (Fd& fd : descriptors) {
    const auto is_it = [&](const Stored& one) { return is_same_file(one.fd.get(), fd.get()); };
    if (std::ranges::none_of(all_, is_it)) all_.push_back({.name = name, .fd = std::move(fd)});
  }
}

void Store::remove(const std::string& name) {
  std::erase_if(all_, [&](const Stored& one) { return one.name == name; });
}

void Store::drop_hung_up() {
  std::erase_if(all_, [](const Stored& one) { return has_hung_up(one.fd.get()); });
}

}  // namespace skiff::service_manager
