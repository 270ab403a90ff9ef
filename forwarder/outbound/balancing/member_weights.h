#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "forwarder/outbound/balancing/balancer.h"

namespace skiff::forwarder {

// The members of a balancer, by their position in it, and their weights with warm-up.
class MemberWeights {
 public:
  MemberWeights(std::span<const governance::ProviderEndpoint> providers,
                std::vector<std::uint32_t> members);

  std::size_t size() const { return members_.size(); }
  std::size_t provider(std::size_t member) const { return members_[member]; }
  std::uint32_t operator[](std::size_t member) const { return weights_[member]; }

  // Reads the weights where that is due: they change only while a provider warms up. Returns true
  // where it did.
  bool refresh(TimePoint now) {
    if (now < refresh_at_) return false;
    read(now);
    return true;
  }

 private:
  void read(TimePoint now);

  std::span<const governance::ProviderEndpoint> providers_;
  std::vector<std::uint32_t> members_;
  std::vector<std::uint32_t> weights_;
  TimePoint refresh_at_{};
};

// Those of the members that a choice is made from; kept, so that it allocates nothing.
class Candidates {
 public:
  explicit Candidates(std::size_t members) { found_.reserve(members); }

  // The usable members that have a weight; where none has one, all usable. Valid until the next
  // call.
  std::span<const std::uint32_t> among(const MemberWeights& weights, Usable usable);

 private:
  std::vector<std::uint32_t> found_;
};

// One of `members` by weight; uniformly where all weights are 0. nullopt where there are none.
std::optional<std::uint32_t> choose_by_weight(const MemberWeights& weights,
                                              std::span<const std::uint32_t> members,
                                              std::uint64_t random);

// The probabilities of choose_by_weight(), for all members.
std::vector<double> shares_by_weight(const MemberWeights& weights,
                                     std::span<const std::uint32_t> members);

}  // namespace skiff::forwarder
