#pragma once

#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <vector>

#include "governance/router.h"

namespace skiff::forwarder {

// Takes every path that draws can take, one after another: the first walk takes the first
// destination everywhere, each next() turns to another one at the last place where there is one.
class PathExplorer final : public governance::Draw {
 public:
  std::size_t choose(std::span<const std::uint32_t> weights) override {
    if (at_ == turns_.size())
      turns_.push_back({first_from(weights, 0), {weights.begin(), weights.end()}});
    Turn& turn = turns_[at_++];
    probability_ *= weights[turn.chosen] / std::accumulate(weights.begin(), weights.end(), 0.0);
    return turn.chosen;
  }

  // Of the path that was walked since next().
  double probability() const { return probability_; }

  // False where no path is left.
  bool next() {
    at_ = 0;
    probability_ = 1;
    while (!turns_.empty()) {
      Turn& last = turns_.back();
      last.chosen = first_from(last.weights, last.chosen + 1);
      if (last.chosen < last.weights.size()) return true;
      turns_.pop_back();
    }
    return false;
  }

 private:
  struct Turn {
    std::size_t chosen;
    std::vector<std::uint32_t> weights;
  };
  static std::size_t first_from(std::span<const std::uint32_t> weights, std::size_t i) {
    while (i < weights.size() && weights[i] == 0) ++i;
    return i;
  }

  std::vector<Turn> turns_;
  std::size_t at_ = 0;
  double probability_ = 1;
};

}  // namespace skiff::forwarder
