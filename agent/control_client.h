#pragma once

#include <chrono>
#include <future>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "registry/control_plane.h"
#include "registry/executor.h"

namespace skiff::agent {

// The way of the other threads to the control plane: they post to the control thread and wait with
// a deadline. An answer that comes later finds nobody and harms nobody. Any thread but the control
// thread may call.
class ControlClient {
 public:
  // How long the control thread may take to answer a question; it never blocks, so this is long.
  static constexpr std::chrono::seconds kPatience{2};

  // Both must outlive it; `plane` is touched on the control thread only.
  ControlClient(registry::Executor& executor, registry::ControlPlane& plane)
      : executor_(executor), plane_(plane) {}

  // What `question(plane)` returns; empty where the control thread does not answer in time.
  template <typename Question>
  auto ask(Question question) {
    using Answer = std::invoke_result_t<Question, registry::ControlPlane&>;
    return wait_for<Answer>(
        kPatience, [question = std::move(question)](registry::ControlPlane& plane,
                                                    auto done) mutable { done(question(plane)); });
  }

  // Runs `start(plane, done)` on the control thread and waits until it has called `done`, there,
  // with the answer.
  template <typename Answer, typename Start>
  std::optional<Answer> wait_for(std::chrono::milliseconds limit, Start start) {
    auto promise = std::make_shared<std::promise<Answer>>();
    std::future<Answer> future = promise->get_future();
    executor_.post([&plane = plane_, start = std::move(start), promise]() mutable {
      start(plane, [promise](Answer answer) { promise->set_value(std::move(answer)); });
    });
    promise.reset();  // so that a task dropped by a stopped executor is noticed at once
    if (future.wait_for(limit) != std::future_status::ready) return std::nullopt;
    try {
      return future.get();
    } catch (const std::future_error&) {  // nobody is left who could answer
      return std::nullopt;
    }
  }

 private:
  registry::Executor& executor_;
  registry::ControlPlane& plane_;
};

}  // namespace skiff::agent
