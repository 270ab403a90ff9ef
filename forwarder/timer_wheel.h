#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace skiff::forwarder {

using Clock = std::chrono::steady_clock;
using TimePoint = Clock::time_point;

// Something that happens at a time, unless it is cancelled first. Embedded in its owner, whose
// destructor cancels it. Lives on its worker's thread.
class Timer {
 public:
  using Callback = void (*)(void* owner);

  Timer(Callback callback, void* owner) : callback_(callback), owner_(owner) {}
  ~Timer() { cancel(); }
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  bool armed() const { return next_ != nullptr; }
  inline void cancel();

 private:
  friend class TimerWheel;

  Timer* previous_ = nullptr;
  Timer* next_ = nullptr;
  std::uint64_t due_tick_ = 0;
  Callback callback_;
  void* owner_;
};

// Timers in O(1): arming, cancelling and expiry touch only the timer itself and its neighbours.
// Resolution is one tick; a timer never fires early. One turn of the wheel is kBuckets ticks; later
// timers stay in their bucket for a further turn.
class TimerWheel {
 public:
  static constexpr std::chrono::milliseconds kTick{4};

  explicit TimerWheel(TimePoint start);

  // (Re)arms `timer` to fire once, `delay` after `now`.
  void arm(Timer& timer, TimePoint now, std::chrono::milliseconds delay);

  // Fires what is due at `now`. Callbacks may arm and cancel any timer, and destroy their own.
  void expire(TimePoint now);

  // How long a caller may sleep from `now` before expire() has something to look at; at most one
  // turn, and -1 where no timer is armed. Milliseconds, rounded up.
  int sleep_ms(TimePoint now) const;

 private:
  static constexpr std::size_t kBuckets = 4096;  // a power of two; 16 s a turn
  static constexpr std::size_t kWords = kBuckets / 64;

  // The head of a circular list.
  struct Bucket : Timer {
    Bucket() : Timer(nullptr, nullptr) {}
  };

  std::uint64_t tick_at(TimePoint time) const;
  void expire_bucket(std::size_t index, std::uint64_t now_tick);
  bool is_empty(std::size_t index) const;
  // Ticks from `from` to the next bucket that may hold a timer; kBuckets where there is none.
  std::size_t distance_to_occupied(std::uint64_t from) const;

  TimePoint start_;
  std::uint64_t expired_tick_ = 0;  // every bucket up to this one was looked at
  std::array<Bucket, kBuckets> buckets_;
  // A bit for each bucket that held a timer when it was last touched: cancelled timers leave theirs
  // until it is looked at.
  mutable std::array<std::uint64_t, kWords> occupied_{};
};

inline void Timer::cancel() {
  if (next_ == nullptr) return;
  previous_->next_ = next_;
  next_->previous_ = previous_;
  previous_ = next_ = nullptr;
}

}  // namespace skiff::forwarder
