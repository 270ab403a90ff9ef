#include "forwarder/outbound/balancing/weighted_random.h"

#include <algorithm>
#include <utility>

#include "forwarder/mix64.h"

namespace skiff::forwarder {

WeightedRandom::WeightedRandom(MemberWeights weights)
    : weights_(std::move(weights)), ends_(weights_.size()), candidates_(weights_.size()) {}

std::optional<std::size_t> WeightedRandom::pick(const PickContext& context, Usable usable) {
  if (weights_.size() == 0) return std::nullopt;
  if (weights_.refresh(context.now)) {
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < ends_.size(); ++i) ends_[i] = sum += weights_[i];
  }
  const std::uint64_t random = context.random();
  const std::size_t first = weights_.provider(among_all(random));
  if (usable(first)) return first;
  // The distribution over what is left is the same as if the others were not there. Not the same
  // number again: that it led to `first` says something about it.
  const auto chosen =
      choose_by_weight(weights_, candidates_.among(weights_, usable), mix64(random));
  return chosen ? std::optional(weights_.provider(*chosen)) : std::nullopt;
}

std::size_t WeightedRandom::among_all(std::uint64_t random) const {
  if (ends_.size() == 1) return 0;
  const std::uint64_t total = ends_.back();
  if (total == 0) return below(ends_.size(), random);
  const auto chosen = std::ranges::upper_bound(ends_, below(total, random));
  return static_cast<std::size_t>(chosen - ends_.begin());
}

std::vector<double> WeightedRandom::shares(TimePoint now, Usable usable) {
  MemberWeights weights = weights_;  // whose own refresh belongs to ends_
  weights.refresh(now);
  return shares_by_weight(weights, candidates_.among(weights, usable));
}

}  // namespace skiff::forwarder
