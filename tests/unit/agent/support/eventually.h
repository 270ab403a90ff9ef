#pragma once

#include <chrono>
#include <functional>
#include <thread>

namespace skiff::agent {

// Whether `condition` holds within a time that is ample on a busy machine.
inline bool eventually(const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (std::chrono::steady_clock::now() < deadline) {
    if (condition()) return true;
    std::this_thread::yield();
  }
  return false;
}

}  // namespace skiff::agent
