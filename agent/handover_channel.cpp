#include "agent/handover_channel.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace skiff::agent {

using forwarder::errno_text;
using forwarder::Fd;
using std::chrono::milliseconds;

namespace {

constexpr std::size_t kQuoted = 200;  // bytes of what cannot be understood
constexpr milliseconds kSlice{200};   // of waiting, between two looks at what else happens
constexpr std::size_t kControlBytes = CMSG_SPACE(HandoverChannel::kMaxDescriptors * sizeof(int));

tl::unexpected<Error> gone(const std::string& why) {
  return fail(ErrorCode::kUnavailable, "the other process has gone: " + why);
}

std::vector<Fd> descriptors_of(msghdr& message) {
  std::vector<Fd> descriptors;
  for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr;
       part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(part) + i * sizeof(int), sizeof fd);
      descriptors.emplace_back(fd);
    }
  }
  return descriptors;
}

}  // namespace

Result<std::pair<HandoverChannel, HandoverChannel>> HandoverChannel::pair() {
  std::array<int, 2> ends{};
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return fail(ErrorCode::kUnavailable, "socketpair: " + errno_text(errno));
  }
  return std::pair(HandoverChannel(Fd(ends[0])), HandoverChannel(Fd(ends[1])));
}

Result<void> HandoverChannel::wait_until(short events, milliseconds limit) const {
  pollfd waiting{.fd = fd_.get(), .events = events, .revents = 0};
  const auto until = std::chrono::steady_clock::now() + limit;
  while (true) {
    const auto left = std::chrono::ceil<milliseconds>(until - std::chrono::steady_clock::now());
    const auto slice = std::clamp(left, milliseconds{0}, kSlice);
    const int ready = poll(&waiting, 1, static_cast<int>(slice.count()));
    if (ready > 0) return {};
    if (ready < 0 && errno != EINTR) return gone(errno_text(errno));
    if (!go_on_()) return fail(ErrorCode::kUnavailable, "this process is asked to stop");
    if (left <= milliseconds{0}) {
      return fail(ErrorCode::kTimeout, "the other process does not answer within " +
                                           std::to_string(limit.count()) + " ms");
    }
  }
}

Result<void> HandoverChannel::send(const nlohmann::json& content,
                                   const std::vector<int>& descriptors, milliseconds limit) {
  if (Result<void> ready = wait_until(POLLOUT, limit); !ready) return ready;
  std::string text = content.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  iovec part{text.data(), text.size()};
  alignas(cmsghdr) std::array<char, kControlBytes> control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (!descriptors.empty()) {
    const std::size_t bytes = descriptors.size() * sizeof(int);
    message.msg_control = control.data();
    message.msg_controllen = CMSG_SPACE(bytes);
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(bytes);
    std::memcpy(CMSG_DATA(header), descriptors.data(), bytes);
  }
  if (sendmsg(fd_.get(), &message, MSG_NOSIGNAL) < 0) return gone(errno_text(errno));
  return {};
}

Result<HandoverChannel::Message> HandoverChannel::receive_any(milliseconds limit) {
  if (Result<void> ready = wait_until(POLLIN, limit); !ready) {
    return tl::unexpected<Error>(std::move(ready.error()));
  }
  std::string text(kMaxTextBytes, '\0');
  iovec part{text.data(), text.size()};
  alignas(cmsghdr) std::array<char, kControlBytes> control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  const ssize_t got = recvmsg(fd_.get(), &message, MSG_CMSG_CLOEXEC);
  if (got < 0) return gone(errno_text(errno));
  Message received{.content = {}, .descriptors = descriptors_of(message)};
  if (got == 0) return gone("it has closed its end");
  text.resize(static_cast<std::size_t>(got));
  received.content = nlohmann::json::parse(text, nullptr, false);
  const bool is_whole = (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) == 0;
  if (!is_whole || !received.content.is_object()) {
    return fail(ErrorCode::kMalformed, "the other process says what cannot be read");
  }
  return received;
}

Result<HandoverChannel::Message> HandoverChannel::receive(const std::string& type,
                                                          milliseconds limit) {
  return receive_one_of({type}, limit);
}

Result<HandoverChannel::Message> HandoverChannel::receive_one_of(
    const std::vector<std::string>& types, milliseconds limit) {
  Result<Message> message = receive_any(limit);
  if (!message) return message;
  const auto& content = message->content;
  const auto came = content.find("type");
  const auto is_it = [&](const std::string& type) { return *came == type; };
  if (came != content.end() && std::ranges::any_of(types, is_it)) return message;
  if (came != content.end() && *came == "failed") {
    const auto reason = content.find("reason");
    const bool says_why = reason != content.end() && reason->is_string();
    return fail(ErrorCode::kUnavailable, says_why ? reason->get<std::string>() : "it has failed");
  }
  return fail(ErrorCode::kMalformed,
              "the other process says what was not expected: " + content.dump().substr(0, kQuoted));
}

Result<void> HandoverChannel::send_descriptors(const std::vector<int>& descriptors,
                                               milliseconds limit) {
  for (std::size_t sent = 0; sent < descriptors.size();) {
    const std::size_t count = std::min(kMaxDescriptors, descriptors.size() - sent);
    const auto first = descriptors.begin() + static_cast<std::ptrdiff_t>(sent);
    const std::vector<int> some(first, first + static_cast<std::ptrdiff_t>(count));
    if (Result<void> done = send({{"type", "descriptors"}}, some, limit); !done) return done;
    sent += count;
  }
  return {};
}

Result<std::vector<Fd>> HandoverChannel::receive_descriptors(std::size_t count,
                                                             milliseconds limit) {
  std::vector<Fd> all;
  while (all.size() < count) {
    Result<Message> message = receive("descriptors", limit);
    if (!message) return tl::unexpected<Error>(std::move(message.error()));
    if (message->descriptors.empty()) {
      return fail(ErrorCode::kMalformed, "descriptors were announced and do not come");
    }
    for (Fd& fd : message->descriptors) all.push_back(std::move(fd));
  }
  return all;
}

}  // namespace skiff::agent
