#include "forwarder/outbound/balancing/least_cost.h"

#include <limits>
#include <utility>

#include "forwarder/outbound/endpoint.h"

namespace skiff::forwarder {

double requests_in_flight(const Endpoint& endpoint, TimePoint /*now*/) {
  return static_cast<double>(endpoint.load.in_flight());
}

double estimated_response(const Endpoint& endpoint, TimePoint now) {
  return endpoint.load.estimated_response(now);
}

LeastCost::LeastCost(MemberWeights weights, std::span<Endpoint* const> endpoints, Cost cost)
    : weights_(std::move(weights)),
      endpoints_(endpoints),
      cost_(cost),
      candidates_(weights_.size()) {
  cheapest_.reserve(weights_.size());
}

std::optional<std::size_t> LeastCost::pick(const PickContext& context, Usable usable) {
  const auto chosen = choose_by_weight(weights_, cheapest(context.now, usable), context.random());
  return chosen ? std::optional(weights_.provider(*chosen)) : std::nullopt;
}

std::vector<double> LeastCost::shares(TimePoint now, Usable usable) {
  const std::span<const std::uint32_t> members = cheapest(now, usable);
  return shares_by_weight(weights_, members);
}

std::span<const std::uint32_t> LeastCost::cheapest(TimePoint now, Usable usable) {
  weights_.refresh(now);
  cheapest_.clear();
  double least = std::numeric_limits<double>::infinity();
  for (const std::uint32_t member : candidates_.among(weights_, usable)) {
    const double cost = cost_(*endpoints_[weights_.provider(member)], now);
    if (cost < least) {
      least = cost;
      cheapest_.clear();
    }
    if (cost == least) cheapest_.push_back(member);
  }
  return cheapest_;
}

}  // namespace skiff::forwarder
