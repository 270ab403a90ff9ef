#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "forwarder/outbound/balancing/balancer.h"
#include "forwarder/outbound/balancing/member_weights.h"

namespace skiff::forwarder {

// "leastactive" and "shortestresponse": the member of the least cost, among equals by weight.
class LeastCost final : public Balancer {
 public:
  using Cost = double (*)(const Endpoint& endpoint, TimePoint now);
  LeastCost(MemberWeights weights, std::span<Endpoint* const> endpoints, Cost cost);

  std::optional<std::size_t> pick(const PickContext& context, Usable usable) override;
  std::vector<double> shares(TimePoint now, Usable usable) override;

 private:
  std::span<const std::uint32_t> cheapest(TimePoint now, Usable usable);

  MemberWeights weights_;
  std::span<Endpoint* const> endpoints_;
  Cost cost_;
  Candidates candidates_;
  std::vector<std::uint32_t> cheapest_;
};

double requests_in_flight(const Endpoint& endpoint, TimePoint now);
double estimated_response(const Endpoint& endpoint, TimePoint now);

}  // namespace skiff::forwarder
