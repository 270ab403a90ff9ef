#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "forwarder/outbound/balancing/balancer.h"
#include "forwarder/outbound/balancing/hash_ring.h"
#include "forwarder/outbound/balancing/member_weights.h"
#include "forwarder/outbound/balancing/weighted_random.h"

namespace skiff::forwarder {

// "consistenthash": requests with the same key go to the same member, the one that Dubbo chooses.
// The key is the arguments that the policy names, one after the other, or an attachment; where none
// of it can be read, the choice is by weight. Where the owner of a key is not usable, or weighs 0,
// the next one on the ring has it; no other key moves. Beyond that weights do not count, nor does
// warm-up: keys would move.
class ConsistentHash final : public Balancer {
 public:
  ConsistentHash(const governance::BalancePolicy& policy, MemberWeights weights,
                 std::span<Endpoint* const> endpoints);

  std::optional<std::size_t> pick(const PickContext& context, Usable usable) override;
  bool is_decided_by(const governance::RequestView& request) const override {
    return key_of(request).has_value();
  }
  std::vector<double> shares(TimePoint now, Usable usable) override;

 private:
  std::optional<std::uint32_t> key_of(const governance::RequestView& request) const;
  void make_ring();
  // The first member from `place` on that may be chosen; nullopt where none is usable.
  std::optional<std::size_t> walk(std::size_t place, Usable usable);
  std::optional<std::size_t> walk_on(std::size_t place, Usable usable, bool takes_weight_0);

  std::vector<std::uint32_t> arguments_;
  std::string attachment_;
  std::size_t points_;
  MemberWeights weights_;
  std::span<Endpoint* const> endpoints_;
  WeightedRandom without_key_;
  HashRing ring_;  // empty until it is needed
  std::vector<bool> asked_;
};

}  // namespace skiff::forwarder
