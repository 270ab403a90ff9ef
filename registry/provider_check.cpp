#include "registry/provider_check.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <span>
#include <system_error>
#include <utility>

#include "dubbo/response.h"
#include "registry/limits.h"

namespace skiff::registry {
namespace {

constexpr std::uint64_t kHeartbeatId = 1;
constexpr std::size_t kReadBytes = 4096;
constexpr int kReadsPerTurnMax = 16;

std::string errno_text(int error) { return std::generic_category().message(error); }

// What says something about this process or machine, not about the provider.
bool is_our_own_trouble(int error) {
  constexpr std::array kOurs = {EMFILE, ENFILE, ENOMEM, ENOBUFS, EAGAIN, EADDRNOTAVAIL};
  return std::find(kOurs.begin(), kOurs.end(), error) != kOurs.end();
}

}  // namespace

ProviderCheck::ProviderCheck(const CheckTarget& target, const SocketAddress& address, int epoll,
                             TimePoint now)
    : target_(target), address_(address), epoll_(epoll), began_(now), deadline_(now), next_(now) {}

void ProviderCheck::on_time(TimePoint now) {
  if (!is_running_) return begin(now);
  const std::string limit = " within " + std::to_string(target_.timeout.count()) + " ms";
  fail((is_connecting_ ? "took no connection" : "answered no heartbeat") + limit, now);
}

std::optional<CheckResult> ProviderCheck::take_result() {
  return std::exchange(result_, std::nullopt);
}

void ProviderCheck::begin(TimePoint now) {
  is_running_ = true;
  began_ = now;
  deadline_ = now + target_.timeout;
  received_since_begin_ = 0;
  if (fd_ < 0) {
    connect(now);
  } else {
    ask(now);
  }
}

void ProviderCheck::connect(TimePoint now) {
  fd_ = socket(address_.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd_ < 0) return end(CheckResult::Outcome::kNotMade, "socket: " + errno_text(errno), now);
  const int on = 1;
  setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  const int connected = ::connect(fd_, address_.get(), address_.size);
  if (connected != 0 && errno != EINPROGRESS) return on_connect_error(errno, now);
  is_connecting_ = connected != 0;
  epoll_event event{};
  event.events = EPOLLIN | EPOLLRDHUP | (is_connecting_ ? EPOLLOUT : 0U);
  event.data.ptr = this;
  if (epoll_ctl(epoll_, EPOLL_CTL_ADD, fd_, &event) != 0) {
    const std::string error = "epoll: " + errno_text(errno);
    disconnect();
    return end(CheckResult::Outcome::kNotMade, error, now);
  }
  if (!is_connecting_) on_connected(now);
}

void ProviderCheck::on_events(std::uint32_t events, TimePoint now) {
  if (is_connecting_) {
    int error = 0;
    socklen_t size = sizeof(error);
    getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) return on_connect_error(error, now);
    if ((events & EPOLLOUT) == 0) return;
    is_connecting_ = false;
    epoll_event event{};
    event.events = EPOLLIN | EPOLLRDHUP;
    event.data.ptr = this;
    epoll_ctl(epoll_, EPOLL_CTL_MOD, fd_, &event);
    return on_connected(now);
  }
  read(now);
}

void ProviderCheck::on_connected(TimePoint now) {
  if (is_connected_to_itself()) return on_connect_error(ECONNREFUSED, now);
  if (target_.type == HealthCheck::Type::kDubbo) return ask(now);
  disconnect();
  pass(now);
}

// To connect to a free port of the range from which the kernel takes ports of its own may, by
// chance, meet itself: that is nobody who serves.
bool ProviderCheck::is_connected_to_itself() const {
  SocketAddress local;
  SocketAddress peer;
  return getsockname(fd_, local.get(), &local.size) == 0 &&
         getpeername(fd_, peer.get(), &peer.size) == 0 && local.size == peer.size &&
         std::memcmp(&local.storage, &peer.storage, local.size) == 0;
}

void ProviderCheck::ask(TimePoint now) {
  std::vector<std::byte> heartbeat;
  dubbo::append_heartbeat_request(kHeartbeatId, heartbeat);
  const ssize_t sent = send(fd_, heartbeat.data(), heartbeat.size(), MSG_NOSIGNAL);
  if (sent == static_cast<ssize_t>(heartbeat.size())) return;
  fail(sent < 0 && errno != EAGAIN ? "closed its connection: " + errno_text(errno)
                                   : "does not read what is sent to it",
       now);
}

void ProviderCheck::read(TimePoint now) {
  std::array<std::byte, kReadBytes> buffer;  // NOLINT(cppcoreguidelines-pro-type-member-init)
  for (int i = 0; i < kReadsPerTurnMax && fd_ >= 0; ++i) {
    const ssize_t got = recv(fd_, buffer.data(), buffer.size(), 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got < 0) return on_lost(errno_text(errno), now);
    if (got == 0) return on_lost("end of the stream", now);
    received_since_begin_ += static_cast<std::size_t>(got);
    input_.insert(input_.end(), buffer.begin(), buffer.begin() + got);
    if (!take_frames(now)) return;
    if (received_since_begin_ > kCheckInputMaxBytes) {
      return fail("sends without end what nobody asked for", now);
    }
    if (static_cast<std::size_t>(got) < buffer.size()) return;
  }
}

bool ProviderCheck::take_frames(TimePoint now) {
  std::size_t taken = 0;
  while (true) {
    const dubbo::Bytes rest = std::span(input_).subspan(taken);
    if (!dubbo::starts_like_a_frame(rest)) {
      fail("does not speak Dubbo: it sent " + std::string(dubbo::guess_foreign_protocol(rest)),
           now);
      return false;
    }
    if (rest.size() < dubbo::FrameHeader::kSize) break;
    const dubbo::FrameHeader header = dubbo::header_of(rest);
    if (header.body_size > kCheckInputMaxBytes) {
      fail("sent a frame of " + std::to_string(header.body_size) + " bytes, unasked", now);
      return false;
    }
    const std::size_t size = dubbo::FrameHeader::kSize + header.body_size;
    if (rest.size() < size) break;
    const dubbo::Bytes body = rest.first(size).subspan(dubbo::FrameHeader::kSize);
    taken += size;
    if (!header.is_event) continue;
    if (!header.is_request) {
      if (is_running_) pass(now);
    } else if (header.is_two_way && body.size() <= kCheckEventMaxBytes) {
      std::vector<std::byte> answer;
      dubbo::append_heartbeat_response(header, body, answer);
      // A provider that does not take it will say so, or fail its next check.
      [[maybe_unused]] const ssize_t sent = send(fd_, answer.data(), answer.size(), MSG_NOSIGNAL);
    }
  }
  input_.erase(input_.begin(), input_.begin() + static_cast<std::ptrdiff_t>(taken));
  return true;
}

void ProviderCheck::on_connect_error(int error, TimePoint now) {
  disconnect();
  if (is_our_own_trouble(error)) {
    end(CheckResult::Outcome::kNotMade, "connect: " + errno_text(error), now);
  } else {
    fail("cannot be connected to: " + errno_text(error), now);
  }
}

void ProviderCheck::on_lost(const std::string& why, TimePoint now) {
  if (is_running_) return fail("closed the connection of its check: " + why, now);
  // It answered a moment ago: whether it still lives is asked soon, but not in a circle.
  disconnect();
  const TimePoint soon = std::max(now, began_ + target_.interval / kCheckHurryDivisor);
  next_ = std::min(next_, soon);
}

void ProviderCheck::fail(const std::string& error, TimePoint now) {
  disconnect();
  if (is_running_) end(CheckResult::Outcome::kFailed, error, now);
}

void ProviderCheck::end(CheckResult::Outcome outcome, std::string error, TimePoint now) {
  is_running_ = false;
  next_ = std::max(now, began_ + target_.interval);
  result_ =
      CheckResult{.target = target_, .outcome = outcome, .error = std::move(error), .at = now};
}

void ProviderCheck::disconnect() {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
  is_connecting_ = false;
  input_ = {};
}

}  // namespace skiff::registry
