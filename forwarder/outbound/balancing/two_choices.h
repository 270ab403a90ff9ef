#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "forwarder/outbound/balancing/balancer.h"
#include "forwarder/outbound/balancing/member_weights.h"

namespace skiff::forwarder {

// "p2c", "adaptive": of two members drawn at random the one of lower cost, which is its peak EWMA
// of answer times, times requests in flight, by weight. Dubbo's "adaptive" asks providers for their
// CPU load instead; that needs a filter on their side.
class TwoChoices final : public Balancer {
 public:
  TwoChoices(MemberWeights weights, std::span<Endpoint* const> endpoints);

  std::optional<std::size_t> pick(const PickContext& context, Usable usable) override;
  std::vector<double> shares(TimePoint now, Usable usable) override;

 private:
  std::optional<std::size_t> draw(RandomSource& random, Usable usable,
                                  std::optional<std::size_t> other_than) const;
  std::optional<std::size_t> pick_among_candidates(const PickContext& context, Usable usable);
  std::size_t better(const PickContext& context, std::size_t a, std::size_t b) const;
  double weight(std::size_t member) const;
  double cost(std::size_t member, TimePoint now) const;

  MemberWeights weights_;
  std::span<Endpoint* const> endpoints_;
  Candidates candidates_;
};

}  // namespace skiff::forwarder
