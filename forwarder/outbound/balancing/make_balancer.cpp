#include <utility>

#include "forwarder/outbound/balancing/balancer.h"
#include "forwarder/outbound/balancing/consistent_hash.h"
#include "forwarder/outbound/balancing/least_cost.h"
#include "forwarder/outbound/balancing/preferred_first.h"
#include "forwarder/outbound/balancing/smooth_round_robin.h"
#include "forwarder/outbound/balancing/two_choices.h"
#include "forwarder/outbound/balancing/weighted_random.h"

namespace skiff::forwarder {

using governance::LoadBalance;

std::unique_ptr<Balancer> make_balancer(const governance::BalancePolicy& policy,
                                        std::span<const governance::ProviderEndpoint> providers,
                                        std::span<Endpoint* const> endpoints,
                                        std::vector<std::uint32_t> members) {
  MemberWeights weights(providers, std::move(members));
  switch (policy.kind) {
    case LoadBalance::kRoundRobin:
      return std::make_unique<SmoothRoundRobin>(std::move(weights));
    case LoadBalance::kLeastActive:
      return std::make_unique<LeastCost>(std::move(weights), endpoints, requests_in_flight);
    case LoadBalance::kShortestResponse:
      return std::make_unique<LeastCost>(std::move(weights), endpoints, estimated_response);
    case LoadBalance::kConsistentHash:
      return std::make_unique<ConsistentHash>(policy, std::move(weights), endpoints);
    case LoadBalance::kP2c:
      return std::make_unique<TwoChoices>(std::move(weights), endpoints);
    case LoadBalance::kRandom:
      break;
  }
  return std::make_unique<WeightedRandom>(std::move(weights));
}

std::unique_ptr<Balancer> make_balancer(const governance::BalancePolicy& policy,
                                        std::span<const governance::ProviderEndpoint> providers,
                                        std::span<Endpoint* const> endpoints,
                                        std::vector<std::uint32_t> members,
                                        std::vector<std::uint32_t> preferred,
                                        std::uint32_t min_percent) {
  auto all = make_balancer(policy, providers, endpoints, members);
  if (preferred.empty() || preferred.size() == members.size()) return all;
  auto first = make_balancer(policy, providers, endpoints, preferred);
  return std::make_unique<PreferredFirst>(std::move(members), std::move(preferred), min_percent,
                                          std::move(first), std::move(all));
}

}  // namespace skiff::forwarder
