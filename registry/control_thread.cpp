#include "registry/control_thread.h"

#include <pthread.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

namespace skiff::registry {

ControlThread::ControlThread(const std::string& name, std::size_t max_queued)
    : max_queued_(max_queued), thread_([this] { run(); }) {
  constexpr std::size_t kMaxThreadName = 15;
  pthread_setname_np(thread_.native_handle(), name.substr(0, kMaxThreadName).c_str());
}

ControlThread::~ControlThread() { stop(); }

// Of two, the one that belongs further back in the heap.
bool ControlThread::is_later(const Timer& left, const Timer& right) {
  return left.due != right.due ? left.due > right.due : left.order > right.order;
}

bool ControlThread::has_room(std::size_t waiting, std::size_t limit) {
  if (waiting < limit) return true;
  ++dropped_;
  if (!std::exchange(is_dropping_, true)) {
    spdlog::error("control thread: {} tasks wait, which is the limit; further ones are dropped",
                  waiting);
  }
  return false;
}

void ControlThread::post(Task task) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_ || !has_room(tasks_.size(), max_queued_)) return;
    tasks_.push_back(std::move(task));
  }
  wake_up_.notify_one();
}

void ControlThread::post_after(std::chrono::milliseconds delay, Task task) {
  if (delay <= std::chrono::milliseconds::zero()) {
    post(std::move(task));
    return;
  }
  {
    const std::lock_guard lock(mutex_);
    if (stopping_ || !has_room(timers_.size(), kMaxTimers)) return;
    timers_.push_back({Clock::now() + delay, posted_timers_++, std::move(task)});
    std::push_heap(timers_.begin(), timers_.end(), is_later);
  }
  wake_up_.notify_one();
}

void ControlThread::stop() {
  std::deque<Task> tasks;
  std::vector<Timer> timers;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    // Destroyed outside the lock: a task may own an object whose destructor posts.
    tasks.swap(tasks_);
    timers.swap(timers_);
  }
  wake_up_.notify_one();
  if (thread_.joinable()) thread_.join();
}

std::uint64_t ControlThread::dropped() const {
  const std::lock_guard lock(mutex_);
  return dropped_;
}

void ControlThread::run() {
  while (Task task = next_task()) task();
}

ControlThread::Task ControlThread::next_task() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    queue_due_timers();
    if (!tasks_.empty()) {
      Task task = std::move(tasks_.front());
      tasks_.pop_front();
      if (tasks_.size() < max_queued_ / 2) is_dropping_ = false;
      return task;
    }
    if (timers_.empty()) {
      wake_up_.wait(lock);
    } else {
      const Clock::time_point due = timers_.front().due;
      wake_up_.wait_until(lock, due);
    }
  }
  return {};
}

// Timers join the queue behind what was posted before they were due, over the limit if need be:
// they were accepted.
void ControlThread::queue_due_timers() {
  if (timers_.empty()) return;
  const Clock::time_point now = Clock::now();
  while (!timers_.empty() && timers_.front().due <= now) {
    std::pop_heap(timers_.begin(), timers_.end(), is_later);
    tasks_.push_back(std::move(timers_.back().task));
    timers_.pop_back();
  }
}

}  // namespace skiff::registry
