#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "forwarder/outbound/balancing/balancer.h"
#include "forwarder/outbound/balancing/member_weights.h"

namespace skiff::forwarder {

// "random": by weight.
class WeightedRandom final : public Balancer {
 public:
  explicit WeightedRandom(MemberWeights weights);

  std::optional<std::size_t> pick(const PickContext& context, Usable usable) override;
  std::vector<double> shares(TimePoint now, Usable usable) override;

 private:
  std::size_t among_all(std::uint64_t random) const;

  MemberWeights weights_;
  std::vector<std::uint64_t> ends_;  // running sums of the weights
  Candidates candidates_;
};

}  // namespace skiff::forwarder
