#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "forwarder/limits.h"
#include "forwarder/timer_wheel.h"

namespace skiff::forwarder {

// How many requests may be sent again: where every call fails, retries must not multiply what comes
// to providers that are overrun already. Counts requests and retries of the last
// kRetryBudgetSeconds, as Finagle does. One per service, on its worker's thread.
class RetryBudget {
 public:
  void note_request(TimePoint now) {
    advance(now);
    ++seconds_[at_].requests;
    ++all_.requests;
  }

  // Takes one retry; false where there is none left.
  bool take(TimePoint now) {
    advance(now);
    constexpr std::uint64_t kAlways = limits::kRetryBudgetSeconds * limits::kRetriesPerSecondMin;
    const std::uint64_t share = std::uint64_t{all_.requests} * limits::kRetryBudgetPercent / 100;
    if (all_.retries >= (share > kAlways ? share : kAlways)) return false;
    ++seconds_[at_].retries;
    ++all_.retries;
    return true;
  }

 private:
  struct Count {
    std::uint32_t requests = 0;
    std::uint32_t retries = 0;
  };

  void advance(TimePoint now) {
    if (now < next_second_) return;
    const auto passed = (now - next_second_) / std::chrono::seconds(1) + 1;
    next_second_ += passed * std::chrono::seconds(1);
    for (std::size_t i = 0; i < seconds_.size() && i < static_cast<std::size_t>(passed); ++i) {
      at_ = (at_ + 1) % seconds_.size();
      all_.requests -= seconds_[at_].requests;
      all_.retries -= seconds_[at_].retries;
      seconds_[at_] = Count();
    }
  }

  std::array<Count, limits::kRetryBudgetSeconds> seconds_{};
  Count all_;
  std::size_t at_ = 0;
  TimePoint next_second_{};
};

}  // namespace skiff::forwarder
