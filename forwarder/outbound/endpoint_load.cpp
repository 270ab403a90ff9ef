#include "forwarder/outbound/endpoint_load.h"

#include <algorithm>

namespace skiff::forwarder {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr std::chrono::seconds kUsualPeriod{30};  // Dubbo's shortestResponseSlidePeriod
constexpr double kPeakDecayNs = 10e9;             // Finagle's
constexpr double kUnknownCost = 1e18;             // over all that a known time can make

// What is left of an average after `passed`: exp(-passed/decay), near enough and without a call of
// the maths library for each answer.
double rest_after(nanoseconds passed) {
  const double x = static_cast<double>(passed.count()) / kPeakDecayNs;
  return 1 / (1 + x + x * x / 2);
}

}  // namespace

void UsualAnswerTime::note(nanoseconds took, TimePoint now) {
  if (now - period_start_ >= kUsualPeriod) {
    mean_before_ns_ = at(now).count();
    period_start_ = now;
    sum_ns_ = count_ = 0;
  }
  sum_ns_ += took.count();
  ++count_;
}

nanoseconds UsualAnswerTime::at(TimePoint now) const {
  if (now - period_start_ >= 2 * kUsualPeriod) return nanoseconds(0);
  return nanoseconds(count_ > 0 ? sum_ns_ / count_ : mean_before_ns_);
}

void PeakAnswerTime::note(nanoseconds took, TimePoint now) {
  const auto took_ns = static_cast<double>(took.count());
  const double rest = rest_after(now - noted_at_);
  noted_at_ = now;
  peak_ns_ = std::max(took_ns, peak_ns_ * rest + took_ns * (1 - rest));
}

double PeakAnswerTime::at(TimePoint now) const { return peak_ns_ * rest_after(now - noted_at_); }

double EndpointLoad::estimated_response(TimePoint now) const {
  const auto usual = std::chrono::duration_cast<milliseconds>(usual_.at(now));
  return static_cast<double>(usual.count()) * static_cast<double>(in_flight_ + 1);
}

double EndpointLoad::peak_cost(TimePoint now) const {
  const auto requests = static_cast<double>(in_flight_ + 1);
  const double time_ns = peak_.at(now);
  if (time_ns > 0) return time_ns * requests;
  return in_flight_ > 0 ? kUnknownCost * requests : 0;
}

}  // namespace skiff::forwarder
