#include "forwarder/outbound/endpoint_health.h"

#include <algorithm>

#include "forwarder/limits.h"

namespace skiff::forwarder {

void EndpointHealth::note_sent(TimePoint now) {
  if (state_ == State::kAdmitted) return;
  is_probing_ = true;
  retry_at_ = now + limits::kProbeTime;
}

bool EndpointHealth::note_failure(TimePoint now, const std::string& error) {
  ++failures_in_a_row_;
  if (state_ == State::kAdmitted && failures_in_a_row_ < limits::kFailuresToEject) return false;
  return eject(State::kFailing, now, error);
}

bool EndpointHealth::note_unreachable(TimePoint now, const std::string& error) {
  return eject(State::kUnreachable, now, error);
}

void EndpointHealth::recover() { *this = EndpointHealth(); }

bool EndpointHealth::eject(State state, TimePoint now, const std::string& error) {
  const bool was_admitted = state_ == State::kAdmitted;
  const bool is_news = was_admitted || is_probing_ || state_ != state;
  state_ = state;
  last_error_ = error;
  // What was on its way when the ejection began may fail after it: no reason for a longer one.
  if (!is_news) return false;
  const auto [shortest, longest] =
      state == State::kFailing ? limits::kFailingPause : limits::kUnreachablePause;
  pause_ = std::clamp(pause_ * 2, shortest, longest);
  retry_at_ = now + pause_;
  is_probing_ = false;
  return was_admitted;
}

}  // namespace skiff::forwarder
