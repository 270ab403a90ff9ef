#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "forwarder/mix64.h"
#include "forwarder/timer_wheel.h"
#include "governance/service_route.h"

namespace skiff::forwarder {

// Weighted random choice among the providers of a cluster, with warm-up; where all weights are 0
// the choice is uniform, as in stock Dubbo. Lives on its worker's thread; `providers` must outlive
// it.
class WeightedRandom {
 public:
  explicit WeightedRandom(const std::vector<governance::ProviderEndpoint>& providers)
      : providers_(&providers) {}

  // The index of a provider for which `usable(index)` holds; nullopt where there is none. `random`
  // is uniform over 64 bits.
  template <typename Usable>
  std::optional<std::size_t> pick(std::uint64_t random, TimePoint now, Usable usable) {
    if (providers_->empty()) return std::nullopt;
    if (now >= refresh_at_) refresh(now);
    const std::size_t first = among_all(random);
    if (usable(first)) return first;
    // Not the same number again: that it led to `first` says something about it.
    return among_usable(mix64(random), usable);
  }

 private:
  // Reads the weights, which change only while a provider warms up.
  void refresh(TimePoint now);
  std::size_t among_all(std::uint64_t random) const;
  std::uint64_t weight_of(std::size_t i) const { return ends_[i] - (i == 0 ? 0 : ends_[i - 1]); }

  // The distribution over what is left is the same as if the others were not there.
  template <typename Usable>
  std::optional<std::size_t> among_usable(std::uint64_t random, Usable usable) const {
    std::uint64_t total = 0;
    std::size_t count = 0;
    for (std::size_t i = 0; i < ends_.size(); ++i) {
      if (!usable(i)) continue;
      total += weight_of(i);
      ++count;
    }
    if (count == 0) return std::nullopt;
    std::uint64_t left = random % (total > 0 ? total : count);
    for (std::size_t i = 0; i < ends_.size(); ++i) {
      if (!usable(i)) continue;
      const std::uint64_t share = total > 0 ? weight_of(i) : 1;
      if (left < share) return i;
      left -= share;
    }
    return std::nullopt;
  }

  const std::vector<governance::ProviderEndpoint>* providers_;
  std::vector<std::uint64_t> ends_;  // running sums of the weights
  TimePoint refresh_at_{};
};

}  // namespace skiff::forwarder
