#include "registry/provider_health.h"

#include <algorithm>
#include <array>

#include "registry/limits.h"

namespace skiff::registry {

std::string_view name_of(HealthState state) {
  static constexpr std::array<std::string_view, 5> kNames = {"unchecked", "starting", "up", "down",
                                                             "recovering"};
  return kNames[static_cast<std::size_t>(state)];
}

ProviderHealth::ProviderHealth(const HealthCheck& check)
    : check_(check),
      state_(check.type == HealthCheck::Type::kNone ? HealthState::kUnchecked
                                                    : HealthState::kStarting) {}

void ProviderHealth::set_check(const HealthCheck& check) {
  check_ = check;
  failures_ = 0;
  successes_ = 0;
  if (check.type == HealthCheck::Type::kNone) {
    state_ = HealthState::kUnchecked;
  } else if (state_ == HealthState::kUnchecked) {
    state_ = HealthState::kUp;
    was_up_ = true;
  }
}

void ProviderHealth::on_success(TimePoint now) {
  failures_ = 0;
  successes_ = std::min(successes_ + 1, check_.successes);
  const bool is_out = state_ == HealthState::kStarting || state_ == HealthState::kDown;
  if (is_out && successes_ >= check_.successes) {
    state_ = HealthState::kRecovering;
    recovers_at_ = now + pause();
  }
  on_time(now);
}

void ProviderHealth::on_failure(TimePoint now, const std::string& error) {
  last_error_ = error;
  successes_ = 0;
  failures_ = std::min(failures_ + 1, check_.failures);
  const bool is_in = state_ != HealthState::kUnchecked && state_ != HealthState::kDown;
  if (is_in && failures_ >= check_.failures) enter_down(now);
}

void ProviderHealth::on_time(TimePoint now) {
  if (state_ == HealthState::kRecovering && now >= recovers_at_) enter_up(now);
}

void ProviderHealth::enter_up(TimePoint now) {
  state_ = HealthState::kUp;
  was_up_ = true;
  up_since_ = now;
}

void ProviderHealth::enter_down(TimePoint now) {
  if (state_ == HealthState::kUp) falls_ = now - up_since_ >= kFlapMemory ? 1 : falls_ + 1;
  state_ = HealthState::kDown;
}

// The first time is a restart, as every provider has them.
std::chrono::milliseconds ProviderHealth::pause() const {
  std::chrono::milliseconds pause{0};
  for (unsigned fall = 2; fall <= falls_ && pause < kFlapPauseMax; ++fall) {
    pause = std::clamp<std::chrono::milliseconds>(2 * pause, kFlapPauseMin, kFlapPauseMax);
  }
  return pause;
}

std::optional<ProviderHealth::TimePoint> ProviderHealth::recovers_at() const {
  if (state_ != HealthState::kRecovering) return std::nullopt;
  return recovers_at_;
}

std::string ProviderHealth::obstacle() const {
  switch (state_) {
    case HealthState::kUnchecked:
    case HealthState::kUp:
      return {};
    case HealthState::kRecovering:
      return "went down " + std::to_string(falls_) + " times, and has to pass its checks for " +
             std::to_string(pause() / std::chrono::seconds(1)) + " s before it is registered again";
    case HealthState::kStarting:
    case HealthState::kDown:
      break;
  }
  if (successes_ > 0) {
    return "has passed " + std::to_string(successes_) + " of the " +
           std::to_string(check_.successes) + " checks in a row that it needs";
  }
  if (last_error_.empty()) return "has not been checked yet";
  return (was_up_ ? "is down: " : "is not ready yet: ") + last_error_;
}

}  // namespace skiff::registry
