#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "registry/health_check.h"

namespace skiff::registry {

enum class HealthState {
  kUnchecked,   // the check is of type none: it may be registered
  kStarting,    // not enough checks yet to tell
  kUp,          // it may be registered
  kDown,        // enough checks in a row failed
  kRecovering,  // passes its checks again, but went down too often: it has to prove itself first
};

// "unchecked", "starting", "up", "down", "recovering"
std::string_view name_of(HealthState state);

// What checks say about the provider of one publication. A provider that goes down again soon after
// it came up has to pass its checks for a while before it counts as up: kFlapPauseMin, doubling
// with each time up to kFlapPauseMax, until it stays up for kFlapMemory. Pure: time is what the
// caller says it is.
class ProviderHealth {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  explicit ProviderHealth(const HealthCheck& check);

  const HealthCheck& check() const { return check_; }
  // What is known stays known. A provider that was not checked before counts as up until its
  // checks fail.
  void set_check(const HealthCheck& check);

  void on_success(TimePoint now);
  // `error` follows "the provider at ... ": "does not accept connections: ...".
  void on_failure(TimePoint now, const std::string& error);
  // Going down was announced: it is not held against the provider.
  void forgive() { falls_ = 0; }
  // Time has passed; see recovers_at().
  void on_time(TimePoint now);

  HealthState state() const { return state_; }
  bool may_be_registered() const {
    return state_ == HealthState::kUp || state_ == HealthState::kUnchecked;
  }
  // While recovering: when it will be up, if no check fails until then.
  std::optional<TimePoint> recovers_at() const;
  // Why it may not be registered, to follow "the provider at ... "; empty where it may.
  std::string obstacle() const;
  // Of the last check that failed; kept when it is up again.
  const std::string& last_error() const { return last_error_; }

 private:
  void enter_up(TimePoint now);
  void enter_down(TimePoint now);
  std::chrono::milliseconds pause() const;

  HealthCheck check_;
  HealthState state_;
  unsigned failures_ = 0;   // in a row
  unsigned successes_ = 0;  // in a row
  unsigned falls_ = 0;      // from up to down, each within kFlapMemory of coming up
  bool was_up_ = false;
  TimePoint up_since_{};
  TimePoint recovers_at_{};
  std::string last_error_;
};

}  // namespace skiff::registry
