#include "forwarder/event_loop.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "dubbo/check.h"

namespace skiff::forwarder {

Result<std::unique_ptr<EventLoop>> EventLoop::create() {
  Fd epoll(epoll_create1(EPOLL_CLOEXEC));
  Fd wakeup(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!epoll.valid() || !wakeup.valid()) {
    return fail(ErrorCode::kUnavailable, "event loop: " + errno_text(errno));
  }
  epoll_event event{};
  event.events = EPOLLIN | EPOLLET;
  event.data.ptr = nullptr;  // the only one without a handler
  if (epoll_ctl(epoll.get(), EPOLL_CTL_ADD, wakeup.get(), &event) != 0) {
    return fail(ErrorCode::kUnavailable, "event loop: " + errno_text(errno));
  }
  return std::unique_ptr<EventLoop>(new EventLoop(std::move(epoll), std::move(wakeup)));
}

EventLoop::EventLoop(Fd epoll, Fd wakeup)
    : epoll_(std::move(epoll)), wakeup_(std::move(wakeup)), now_(Clock::now()), timers_(now_) {}

Result<void> EventLoop::add(int fd, EventHandler& handler) {
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  event.data.ptr = &handler;
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) {
    return fail(ErrorCode::kUnavailable, "epoll: " + errno_text(errno));
  }
  return {};
}

void EventLoop::remove(int fd) { epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr); }

void EventLoop::forget(EventHandler& handler) {
  for (auto* list : {&dirty_, &revisit_, &batch_}) {
    std::ranges::replace(*list, &handler, static_cast<EventHandler*>(nullptr));
  }
}

void EventLoop::wake() {
  const std::uint64_t one = 1;
  // A full counter means that the loop is awake anyway.
  [[maybe_unused]] const ssize_t written = write(wakeup_.get(), &one, sizeof one);
}

bool EventLoop::take_wakeup() { return std::exchange(woken_, false); }

void EventLoop::wait_and_dispatch() {
  const int timeout = revisit_.empty() ? timers_.sleep_ms(now_) : 0;
  const int count =
      epoll_wait(epoll_.get(), events_.data(), static_cast<int>(events_.size()), timeout);
  now_ = Clock::now();
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events_[static_cast<std::size_t>(i)];
    if (event.data.ptr == nullptr) {
      std::uint64_t ignored = 0;
      [[maybe_unused]] const ssize_t got = read(wakeup_.get(), &ignored, sizeof ignored);
      woken_ = true;
    } else {
      static_cast<EventHandler*>(event.data.ptr)->on_events(event.events);
    }
  }
  batch_.swap(revisit_);
  for (EventHandler* handler : batch_) {
    if (handler != nullptr) handler->on_events(EPOLLIN);
  }
  batch_.clear();
  timers_.expire(now_);
}

void EventLoop::flush() {
  check(!std::exchange(flushing_, true), "a flush within a flush");
  // A flush may fail, and the failure's answers make further connections dirty: the list grows
  // while it is walked.
  for (std::size_t i = 0; i < dirty_.size(); ++i) {  // NOLINT(modernize-loop-convert): it grows
    if (dirty_[i] != nullptr) dirty_[i]->on_flush();
  }
  dirty_.clear();
  turn_memory_.release();
  flushing_ = false;
}

}  // namespace skiff::forwarder
