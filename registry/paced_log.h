#pragma once

#include <spdlog/spdlog.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "registry/limits.h"

namespace skiff::registry {

// Warnings of one kind, of which one machine may make many: one line in kFaultLogPause.
class PacedLog {
 public:
  // `what` is a sentence without an end.
  void warn(const std::string& what, std::chrono::steady_clock::time_point now) {
    if (logged_at_ && now - *logged_at_ < kFaultLogPause) {
      ++not_logged_;
      return;
    }
    logged_at_ = now;
    const std::uint64_t others = std::exchange(not_logged_, 0);
    spdlog::warn("{}{}", what,
                 others == 0 ? "" : " (and " + std::to_string(others) + " like it before)");
  }

 private:
  std::optional<std::chrono::steady_clock::time_point> logged_at_;
  std::uint64_t not_logged_ = 0;  // since then
};

}  // namespace skiff::registry
