#pragma once

#include <chrono>
#include <functional>

namespace skiff::registry {

// Work for the control thread. Any thread may post; tasks run one after another, in order, on the
// one control thread. Tasks posted after the executor was stopped are dropped.
class Executor {
 public:
  using Task = std::function<void()>;

  virtual ~Executor() = default;
  virtual void post(Task task) = 0;
  virtual void post_after(std::chrono::milliseconds delay, Task task) = 0;
  // The clock that delays are measured with.
  virtual std::chrono::steady_clock::time_point now() const {
    return std::chrono::steady_clock::now();
  }
};

}  // namespace skiff::registry
