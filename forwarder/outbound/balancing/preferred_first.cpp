#include "forwarder/outbound/balancing/preferred_first.h"

#include <algorithm>
#include <utility>

namespace skiff::forwarder {
namespace {

// At least one, whatever the share.
std::size_t share_of(std::size_t count, std::uint32_t percent) {
  return std::max<std::size_t>((count * std::min(percent, 100U) + 99) / 100, 1);
}

}  // namespace

PreferredFirst::PreferredFirst(std::vector<std::uint32_t> members,
                               std::vector<std::uint32_t> preferred, std::uint32_t min_percent,
                               std::unique_ptr<Balancer> first, std::unique_ptr<Balancer> all)
    : members_(std::move(members)),
      preferred_(std::move(preferred)),
      enough_(share_of(preferred_.size(), min_percent)),
      first_(std::move(first)),
      all_(std::move(all)) {}

bool PreferredFirst::enough_are(Usable usable) const {
  std::size_t count = 0;
  for (const std::uint32_t provider : preferred_) {
    if (usable(provider) && ++count >= enough_) return true;
  }
  return false;
}

std::optional<std::size_t> PreferredFirst::pick(const PickContext& context, Usable usable) {
  return (enough_are(usable) ? first_ : all_)->pick(context, usable);
}

std::vector<double> PreferredFirst::shares(TimePoint now, Usable usable) {
  if (!enough_are(usable)) return all_->shares(now, usable);
  const std::vector<double> of_preferred = first_->shares(now, usable);
  std::vector<double> shares(members_.size(), 0.0);
  for (std::size_t i = 0; i < preferred_.size(); ++i) {
    const auto member = std::ranges::find(members_, preferred_[i]);
    shares[static_cast<std::size_t>(member - members_.begin())] = of_preferred[i];
  }
  return shares;
}

}  // namespace skiff::forwarder
