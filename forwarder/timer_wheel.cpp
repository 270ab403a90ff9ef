#include "forwarder/timer_wheel.h"

#include <algorithm>
#include <bit>

namespace skiff::forwarder {

TimerWheel::TimerWheel(TimePoint start) : start_(start) {
  for (Bucket& bucket : buckets_) bucket.previous_ = bucket.next_ = &bucket;
}

std::uint64_t TimerWheel::tick_at(TimePoint time) const {
  return static_cast<std::uint64_t>(
      std::max((time - start_) / kTick, decltype(time - start_)::rep{0}));
}

void TimerWheel::arm(Timer& timer, TimePoint now, std::chrono::milliseconds delay) {
  timer.cancel();
  // One tick more than asked, since `now` lies somewhere within its own tick.
  const auto ticks = static_cast<std::uint64_t>(std::max(delay / kTick, {}) + 1);
  timer.due_tick_ = std::max(tick_at(now), expired_tick_) + ticks;
  const std::size_t index = timer.due_tick_ % kBuckets;
  Bucket& bucket = buckets_[index];
  timer.previous_ = bucket.previous_;
  timer.next_ = &bucket;
  bucket.previous_->next_ = &timer;
  bucket.previous_ = &timer;
  occupied_[index / 64] |= std::uint64_t{1} << (index % 64);
}

bool TimerWheel::is_empty(std::size_t index) const {
  return buckets_[index].next_ == &buckets_[index];
}

std::size_t TimerWheel::distance_to_occupied(std::uint64_t from) const {
  const std::size_t start = from % kBuckets;
  std::size_t index = start;
  for (std::size_t seen = 0; seen < kBuckets;) {
    const std::uint64_t bits = occupied_[index / 64] >> (index % 64);
    if (bits == 0) {
      const std::size_t step = 64 - index % 64;
      seen += step;
      index = (index + step) % kBuckets;
      continue;
    }
    const auto skip = static_cast<std::size_t>(std::countr_zero(bits));
    seen += skip;
    index = (index + skip) % kBuckets;
    if (seen >= kBuckets) break;
    if (!is_empty(index)) return seen;
    occupied_[index / 64] &= ~(std::uint64_t{1} << (index % 64));
  }
  return kBuckets;
}

void TimerWheel::expire(TimePoint now) {
  const std::uint64_t now_tick = tick_at(now);
  while (expired_tick_ < now_tick) {
    const std::size_t distance = distance_to_occupied(expired_tick_ + 1);
    if (distance == kBuckets || expired_tick_ + 1 + distance > now_tick) {
      expired_tick_ = now_tick;
      return;
    }
    expired_tick_ += 1 + distance;
    expire_bucket(expired_tick_ % kBuckets, now_tick);
  }
}

void TimerWheel::expire_bucket(std::size_t index, std::uint64_t now_tick) {
  // The due ones are taken off first, to a list of their own: a callback may put timers into this
  // bucket again.
  Bucket due;
  due.previous_ = due.next_ = &due;
  Bucket& bucket = buckets_[index];
  for (Timer* timer = bucket.next_; timer != &bucket;) {
    Timer* next = timer->next_;
    if (timer->due_tick_ <= now_tick) {
      timer->cancel();
      timer->previous_ = due.previous_;
      timer->next_ = &due;
      due.previous_->next_ = timer;
      due.previous_ = timer;
    }
    timer = next;
  }
  if (is_empty(index)) occupied_[index / 64] &= ~(std::uint64_t{1} << (index % 64));
  while (due.next_ != &due) {
    Timer* timer = due.next_;
    timer->cancel();
    timer->callback_(timer->owner_);
  }
  due.previous_ = due.next_ = nullptr;
}

int TimerWheel::sleep_ms(TimePoint now) const {
  const std::size_t distance = distance_to_occupied(expired_tick_ + 1);
  if (distance == kBuckets) return -1;
  const TimePoint due = start_ + kTick * static_cast<std::int64_t>(expired_tick_ + 1 + distance);
  const auto wait = std::chrono::ceil<std::chrono::milliseconds>(due - now);
  return static_cast<int>(std::max<std::int64_t>(wait.count(), 0));
}

}  // namespace skiff::forwarder
