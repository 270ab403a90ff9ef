#include "forwarder/outbound/endpoint.h"

#include <algorithm>

#include "forwarder/outbound/upstream_connection.h"

namespace skiff::forwarder {
namespace {

// An answer counts for an eighth of what is known of its like.
constexpr std::size_t kUsualAnswerShare = 8;

}  // namespace

Endpoint::Fitness Endpoint::fitness(TimePoint now) const {
  if (!health.admits(now)) {
    return health.state() == EndpointHealth::State::kFailing ? Fitness::kFailing
                                                             : Fitness::kUnreachable;
  }
  return is_leaving() ? Fitness::kLeaving : Fitness::kGood;
}

std::string Endpoint::describe() const {
  switch (health.state()) {
    case EndpointHealth::State::kFailing:
      return "failing: " + health.last_error();
    case EndpointHealth::State::kUnreachable:
      return "down: " + health.last_error();
    case EndpointHealth::State::kAdmitted:
      break;
  }
  if (connections.empty()) return "idle";
  if (!is_connected()) return "connecting";
  return is_leaving() ? "readonly" : "connected";
}

// It is the provider that leaves, whichever connection it says so on.
bool Endpoint::is_leaving() const {
  return std::ranges::any_of(connections, [](const auto* one) { return one->is_readonly(); });
}

bool Endpoint::is_connected() const {
  return std::ranges::any_of(connections, [](const auto* one) { return !one->is_connecting(); });
}

std::size_t Endpoint::bytes_in_flight() const {
  std::size_t sum = 0;
  for (const UpstreamConnection* connection : connections) {
    sum += connection->request_bytes_in_flight() + connection->in_flight() * answer_bytes_;
  }
  return sum;
}

void Endpoint::note_answer(std::size_t bytes) {
  answer_bytes_ += bytes / kUsualAnswerShare;
  answer_bytes_ -= answer_bytes_ / kUsualAnswerShare;
}

}  // namespace skiff::forwarder
