#pragma once

#include <chrono>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <utility>

#include "registry/executor.h"

namespace skiff::registry {

// An executor without a thread whose time the test turns. Other threads may post(): those of a
// registry's client do.
class ManualExecutor final : public Executor {
 public:
  void post(Task task) override {
    const std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
  }

  void post_after(std::chrono::milliseconds delay, Task task) override {
    if (delay <= std::chrono::milliseconds::zero()) {
      post(std::move(task));
    } else {
      timers_.emplace(now_ + delay, std::move(task));
    }
  }

  std::chrono::steady_clock::time_point now() const override {
    return std::chrono::steady_clock::time_point(now_);
  }

  // Runs what is posted, and what that posts.
  void run() {
    while (const std::optional<Task> task = next()) (*task)();
  }

  // Lets time pass; timers run when they are due.
  void advance(std::chrono::milliseconds time) {
    run();
    const std::chrono::milliseconds end = now_ + time;
    while (!timers_.empty() && timers_.begin()->first <= end) {
      now_ = timers_.begin()->first;
      post(std::move(timers_.begin()->second));
      timers_.erase(timers_.begin());
      run();
    }
    now_ = end;
  }

 private:
  std::optional<Task> next() {
    const std::lock_guard lock(mutex_);
    if (tasks_.empty()) return std::nullopt;
    std::optional<Task> task = std::move(tasks_.front());
    tasks_.pop_front();
    return task;
  }

  std::chrono::milliseconds now_{0};
  std::mutex mutex_;
  std::deque<Task> tasks_;  // guarded by mutex_
  std::multimap<std::chrono::milliseconds, Task> timers_;
};

}  // namespace skiff::registry
