#include "forwarder/outbound/load_balancer.h"

#include <algorithm>
#include <chrono>

namespace skiff::forwarder {
namespace {

constexpr std::chrono::seconds kWarmupStep{1};

std::int64_t unix_now_ms() {
  const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(since_epoch).count();
}

}  // namespace

void WeightedRandom::refresh(TimePoint now) {
  const std::int64_t now_ms = unix_now_ms();
  bool warming = false;
  std::uint64_t sum = 0;
  ends_.clear();
  for (const governance::ProviderEndpoint& provider : *providers_) {
    const std::uint32_t weight = governance::effective_weight(provider, now_ms);
    warming = warming || weight != provider.weight;
    sum += weight;
    ends_.push_back(sum);
  }
  refresh_at_ = warming ? now + kWarmupStep : TimePoint::max();
}

std::size_t WeightedRandom::among_all(std::uint64_t random) const {
  if (ends_.size() == 1) return 0;
  const std::uint64_t total = ends_.back();
  if (total == 0) return random % ends_.size();
  const auto chosen = std::ranges::upper_bound(ends_, random % total);
  return static_cast<std::size_t>(chosen - ends_.begin());
}

}  // namespace skiff::forwarder
