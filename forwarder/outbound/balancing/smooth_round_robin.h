#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "forwarder/outbound/balancing/balancer.h"
#include "forwarder/outbound/balancing/member_weights.h"

namespace skiff::forwarder {

// "roundrobin": smooth weighted, as in nginx and Dubbo. Each has its turns in proportion to its
// weight, as far from each other as they can be. Among equals it begins with any, so that many
// workers and services do not all begin with the same.
class SmoothRoundRobin final : public Balancer {
 public:
  explicit SmoothRoundRobin(MemberWeights weights);

  std::optional<std::size_t> pick(const PickContext& context, Usable usable) override;
  std::vector<double> shares(TimePoint now, Usable usable) override;

 private:
  // How many come before `member` where the order begins with first_.
  std::size_t rank(std::size_t member) const {
    return member >= *first_ ? member - *first_ : member + weights_.size() - *first_;
  }

  MemberWeights weights_;
  Candidates candidates_;
  std::vector<std::int64_t> credits_;  // what each has waited for
  std::optional<std::size_t> first_;
};

}  // namespace skiff::forwarder
