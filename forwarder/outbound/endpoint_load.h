#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "forwarder/timer_wheel.h"

namespace skiff::forwarder {

// The time that answers usually take: their mean in this period, or in the one before where this
// one has none yet. 0 where nothing is known.
class UsualAnswerTime {
 public:
  void note(std::chrono::nanoseconds took, TimePoint now);
  std::chrono::nanoseconds at(TimePoint now) const;

 private:
  TimePoint period_start_{};
  std::int64_t sum_ns_ = 0;
  std::int64_t count_ = 0;
  std::int64_t mean_before_ns_ = 0;
};

// A moving average of answer times that follows a slow answer at once and forgets it in some ten
// seconds: a peak-sensitive EWMA, as in Finagle. Where nothing comes it falls towards 0, so that
// who was slow is tried again. 0 where nothing is known.
class PeakAnswerTime {
 public:
  void note(std::chrono::nanoseconds took, TimePoint now);
  double at(TimePoint now) const;  // ns

 private:
  double peak_ns_ = 0;
  TimePoint noted_at_{};
};

// What one worker's requests at a provider are like: how many are in flight, and how long answers
// take. Lives on its worker's thread.
class EndpointLoad {
 public:
  void note_sent() { ++in_flight_; }
  // So many requests have been answered, or are not waited for any more.
  void note_settled(std::size_t requests = 1) { in_flight_ -= requests; }
  std::size_t in_flight() const { return in_flight_; }

  // An answer took so long, or was waited for in vain so long.
  void note_answer_time(std::chrono::nanoseconds took, TimePoint now) {
    usual_.note(took, now);
    peak_.note(took, now);
  }

  // When an answer to one request more may be expected, as Dubbo's shortestresponse has it: usual
  // answer time times requests in flight. Whole milliseconds of the time count, so that those that
  // are about as fast are equal.
  double estimated_response(TimePoint now) const;
  // The same for P2C, by the peak-sensitive average. Where an answer is awaited and none is known
  // it is very high: one request finds out, and others wait for what it finds.
  double peak_cost(TimePoint now) const;

 private:
  std::size_t in_flight_ = 0;
  UsualAnswerTime usual_;
  PeakAnswerTime peak_;
};

}  // namespace skiff::forwarder
