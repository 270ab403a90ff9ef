#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "registry/executor.h"
#include "registry/limits.h"

namespace skiff::registry {

// The executor on a thread of its own, which starts with the object and ends with stop(). Any
// thread may call post(), post_after() and dropped(); they never wait for a task.
//
// At most kMaxQueuedTasks tasks and kMaxTimers timers wait; what comes on top is dropped, counted,
// and logged once until the queue has room again. Tasks must not throw.
class ControlThread final : public Executor {
 public:
  // `name` is what the operating system shows; its first 15 bytes count. `max_queued` is for tests.
  explicit ControlThread(const std::string& name, std::size_t max_queued = kMaxQueuedTasks);
  ~ControlThread() override;

  ControlThread(const ControlThread&) = delete;
  ControlThread& operator=(const ControlThread&) = delete;

  void post(Task task) override;
  void post_after(std::chrono::milliseconds delay, Task task) override;

  // Lets the running task finish, drops the others, joins the thread. May be called again, but not
  // from the thread itself.
  void stop();
  bool is_current() const { return std::this_thread::get_id() == thread_.get_id(); }
  // Tasks that were dropped because a queue was full.
  std::uint64_t dropped() const;

 private:
  using Clock = std::chrono::steady_clock;
  struct Timer {
    Clock::time_point due;
    std::uint64_t order;  // of posting: timers due at one moment run in this order
    Task task;
  };

  static bool is_later(const Timer& left, const Timer& right);
  bool has_room(std::size_t waiting, std::size_t limit);
  void run();
  // The next task to run, waiting for it; empty when the thread is to end.
  Task next_task();
  void queue_due_timers();

  const std::size_t max_queued_;
  mutable std::mutex mutex_;
  std::condition_variable wake_up_;
  std::deque<Task> tasks_;
  std::vector<Timer> timers_;  // a heap, the next one due in front
  std::uint64_t posted_timers_ = 0;
  std::uint64_t dropped_ = 0;
  bool is_dropping_ = false;
  bool stopping_ = false;
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace skiff::registry
