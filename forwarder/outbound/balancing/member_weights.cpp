#include "forwarder/outbound/balancing/member_weights.h"

#include <chrono>
#include <utility>

namespace skiff::forwarder {
namespace {

constexpr std::chrono::seconds kWarmupStep{1};

std::int64_t unix_now_ms() {
  const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(since_epoch).count();
}

std::uint64_t sum_of(const MemberWeights& weights, std::span<const std::uint32_t> members) {
  std::uint64_t sum = 0;
  for (const std::uint32_t member : members) sum += weights[member];
  return sum;
}

}  // namespace

MemberWeights::MemberWeights(std::span<const governance::ProviderEndpoint> providers,
                             std::vector<std::uint32_t> members)
    : providers_(providers), members_(std::move(members)), weights_(members_.size()) {}

void MemberWeights::read(TimePoint now) {
  const std::int64_t now_ms = unix_now_ms();
  bool warming = false;
  for (std::size_t i = 0; i < members_.size(); ++i) {
    const governance::ProviderEndpoint& provider = providers_[members_[i]];
    weights_[i] = governance::effective_weight(provider, now_ms);
    warming = warming || weights_[i] != provider.weight;
  }
  refresh_at_ = warming ? now + kWarmupStep : TimePoint::max();
}

std::span<const std::uint32_t> Candidates::among(const MemberWeights& weights, Usable usable) {
  found_.clear();
  bool some_weigh = false;
  for (std::uint32_t member = 0; member < weights.size(); ++member) {
    if (some_weigh && weights[member] == 0) continue;
    if (!usable(weights.provider(member))) continue;
    if (!some_weigh && weights[member] > 0) {
      some_weigh = true;
      found_.clear();
    }
    found_.push_back(member);
  }
  return found_;
}

std::optional<std::uint32_t> choose_by_weight(const MemberWeights& weights,
                                              std::span<const std::uint32_t> members,
                                              std::uint64_t random) {
  if (members.empty()) return std::nullopt;
  const std::uint64_t total = sum_of(weights, members);
  if (total == 0) return members[below(members.size(), random)];
  std::uint64_t left = below(total, random);
  for (const std::uint32_t member : members) {
    if (left < weights[member]) return member;
    left -= weights[member];
  }
  return std::nullopt;
}

std::vector<double> shares_by_weight(const MemberWeights& weights,
                                     std::span<const std::uint32_t> members) {
  std::vector<double> shares(weights.size(), 0.0);
  const std::uint64_t total = sum_of(weights, members);
  for (const std::uint32_t member : members) {
    shares[member] = total > 0 ? static_cast<double>(weights[member]) / static_cast<double>(total)
                               : 1.0 / static_cast<double>(members.size());
  }
  return shares;
}

}  // namespace skiff::forwarder
