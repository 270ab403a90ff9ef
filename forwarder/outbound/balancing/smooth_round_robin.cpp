#include "forwarder/outbound/balancing/smooth_round_robin.h"

#include <algorithm>
#include <span>
#include <utility>

namespace skiff::forwarder {

SmoothRoundRobin::SmoothRoundRobin(MemberWeights weights)
    : weights_(std::move(weights)), candidates_(weights_.size()), credits_(weights_.size()) {}

// Who is not usable neither gains nor pays: it comes back where it left.
std::optional<std::size_t> SmoothRoundRobin::pick(const PickContext& context, Usable usable) {
  weights_.refresh(context.now);
  const std::span<const std::uint32_t> candidates = candidates_.among(weights_, usable);
  if (candidates.empty()) return std::nullopt;
  if (!first_) first_ = context.random() % weights_.size();
  std::int64_t total = 0;
  std::size_t best = candidates.front();
  for (const std::uint32_t member : candidates) {
    const std::int64_t weight = std::max<std::int64_t>(weights_[member], 1);  // all are 0, or none
    credits_[member] += weight;
    total += weight;
    const bool is_better = credits_[member] > credits_[best] ||
                           (credits_[member] == credits_[best] && rank(member) < rank(best));
    if (is_better) best = member;
  }
  credits_[best] -= total;
  return weights_.provider(best);
}

std::vector<double> SmoothRoundRobin::shares(TimePoint now, Usable usable) {
  weights_.refresh(now);
  return shares_by_weight(weights_, candidates_.among(weights_, usable));
}

}  // namespace skiff::forwarder
