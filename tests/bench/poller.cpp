#include "tests/bench/poller.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <span>
#include <utility>

namespace skiff::bench {

using forwarder::errno_text;

Poller::Poller(forwarder::Fd epoll) : epoll_(std::move(epoll)), scratch_(kScratchBytes) {}

Result<Poller> Poller::create() {
  forwarder::Fd epoll(epoll_create1(EPOLL_CLOEXEC));
  if (!epoll.valid()) return fail(ErrorCode::kUnavailable, "epoll_create1: " + errno_text(errno));
  return Poller(std::move(epoll));
}

Result<void> Poller::add(int fd, EventHandler& handler, std::uint32_t events) {
  epoll_event event{.events = events, .data = {.ptr = &handler}};
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) {
    return fail(ErrorCode::kUnavailable, "epoll_ctl: " + errno_text(errno));
  }
  return {};
}

void Poller::change(int fd, EventHandler& handler, std::uint32_t events) {
  epoll_event event{.events = events, .data = {.ptr = &handler}};
  epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd,
            &event);  // cannot fail for a descriptor that was added
}

void Poller::turn(TimePoint until) {
  // Nanoseconds, because requests of an open loop are due microseconds apart.
  timespec wait{};
  if (until != TimePoint::max()) {
    const auto left = std::max(until - Clock::now(), TimePoint::duration::zero());
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(left);
    wait.tv_sec = seconds.count();
    wait.tv_nsec = std::chrono::nanoseconds(left - seconds).count();
  }
  const int ready = epoll_pwait2(epoll_.get(), events_.data(), static_cast<int>(events_.size()),
                                 until == TimePoint::max() ? nullptr : &wait, nullptr);
  for (const epoll_event& event :
       std::span(events_).first(static_cast<std::size_t>(std::max(ready, 0)))) {
    static_cast<EventHandler*>(event.data.ptr)->on_events(event.events);
  }
}

ReadResult read_some(int fd, std::vector<std::byte>& room) {
  const ssize_t size = read(fd, room.data(), room.size());
  if (size > 0)
    return {ReadState::kMore, dubbo::Bytes(room.data(), static_cast<std::size_t>(size))};
  const bool blocked = size < 0 && (errno == EAGAIN || errno == EINTR);
  return {blocked ? ReadState::kBlocked : ReadState::kClosed, {}};
}

}  // namespace skiff::bench
