#pragma once

#include <chrono>

#include "forwarder/limits.h"
#include "forwarder/timer_wheel.h"

namespace skiff::forwarder {

// Decides when a silent peer is asked by a heartbeat whether it lives, and when it is given up. Any
// byte from the peer is a sign of life. One per connection, on its worker's thread.
class SilenceWatch {
 public:
  enum class Step { kWait, kAsk, kGiveUp };
  struct Decision {
    Step step;
    std::chrono::milliseconds next_look;  // how long until check() is due again; > 0
  };

  explicit SilenceWatch(std::chrono::milliseconds interval) : interval_(interval) {}

  // `last_read`: when the peer last sent anything. The first check is due an interval after the
  // connection is there.
  Decision check(TimePoint now, TimePoint last_read) {
    // An answer is one however late this look is: with a fast peer, the look after a heartbeat
    // finds a silence of a whole interval again.
    if (last_read > asked_at_) unanswered_ = 0;
    const auto silence = std::chrono::duration_cast<std::chrono::milliseconds>(now - last_read);
    if (silence < interval_) return {Step::kWait, interval_ - silence};
    if (unanswered_ == limits::kSilentHeartbeatsMax) return {Step::kGiveUp, interval_};
    ++unanswered_;
    asked_at_ = now;
    return {Step::kAsk, interval_};
  }

 private:
  std::chrono::milliseconds interval_;
  int unanswered_ = 0;
  TimePoint asked_at_{};
};

}  // namespace skiff::forwarder
