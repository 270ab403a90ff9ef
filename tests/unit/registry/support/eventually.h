#pragma once

#include <chrono>
#include <stdexcept>
#include <thread>

namespace skiff::registry {

// For what only a server can be asked for, again and again: true as soon as `condition` holds,
// false where it does not within 30 s. A node that goes between two looks makes the client throw:
// not yet, then.
template <typename Condition>
bool eventually(Condition condition) {
  const auto holds = [&condition] {
    try {
      return condition();
    } catch (const std::runtime_error&) {
      return false;
    }
  };
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (!holds()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::yield();
  }
  return true;
}

}  // namespace skiff::registry
