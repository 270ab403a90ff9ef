#pragma once

#include <chrono>
#include <string>

#include "forwarder/timer_wheel.h"

namespace skiff::forwarder {

// What one worker has lately seen of a provider, and whether it should get requests. Trouble ejects
// it for a pause; after that one request at a time probes it, and the outcome admits it again or
// ejects it for twice as long. Lives on its worker's thread.
class EndpointHealth {
 public:
  enum class State {
    kAdmitted,
    kFailing,      // connections work, requests do not; ejected
    kUnreachable,  // nothing can be sent there; ejected
  };

  State state() const { return state_; }
  // False while it is ejected, and while a probe is under way. Being admitted by its pause's end
  // does not change state().
  bool admits(TimePoint now) const { return now >= retry_at_; }
  // Why it was ejected last; "" where it is admitted.
  const std::string& last_error() const { return last_error_; }

  // A request was sent there. Where that is a probe, further ones wait for what becomes of it.
  void note_sent(TimePoint now);
  // A request was answered.
  void note_answer() {
    if (failures_in_a_row_ != 0 || state_ != State::kAdmitted) recover();
  }
  // A connection was made.
  void note_reachable() {
    if (state_ == State::kUnreachable) recover();
  }
  // A request was sent there in vain. Returns true where that ejected an admitted endpoint.
  bool note_failure(TimePoint now, const std::string& error);
  // No connection could be made. Returns true where that ejected an admitted endpoint.
  bool note_unreachable(TimePoint now, const std::string& error);

 private:
  void recover();
  bool eject(State state, TimePoint now, const std::string& error);

  State state_ = State::kAdmitted;
  bool is_probing_ = false;
  int failures_in_a_row_ = 0;
  TimePoint retry_at_{};
  std::chrono::milliseconds pause_{0};  // of the last ejection
  std::string last_error_;
};

}  // namespace skiff::forwarder
