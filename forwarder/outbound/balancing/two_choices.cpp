#include "forwarder/outbound/balancing/two_choices.h"

#include <algorithm>
#include <utility>

#include "forwarder/outbound/endpoint.h"

namespace skiff::forwarder {
namespace {

// So often a member is drawn before all of them are looked at: most are usable, and clusters may be
// large.
constexpr int kDrawsMax = 4;

double number(std::size_t count) { return static_cast<double>(count); }

}  // namespace

TwoChoices::TwoChoices(MemberWeights weights, std::span<Endpoint* const> endpoints)
    : weights_(std::move(weights)), endpoints_(endpoints), candidates_(weights_.size()) {}

std::optional<std::size_t> TwoChoices::pick(const PickContext& context, Usable usable) {
  weights_.refresh(context.now);
  const auto first = draw(context.random, usable, std::nullopt);
  const auto second = first ? draw(context.random, usable, first) : std::nullopt;
  if (!second) return pick_among_candidates(context, usable);
  return weights_.provider(better(context, *first, *second));
}

// Uniform among those that are usable and have a weight; nullopt where none came up.
std::optional<std::size_t> TwoChoices::draw(RandomSource& random, Usable usable,
                                            std::optional<std::size_t> other_than) const {
  if (weights_.size() < 2) return std::nullopt;
  for (int i = 0; i < kDrawsMax; ++i) {
    const std::size_t member = random() % weights_.size();
    if (member == other_than || weights_[member] == 0) continue;
    if (usable(weights_.provider(member))) return member;
  }
  return std::nullopt;
}

std::optional<std::size_t> TwoChoices::pick_among_candidates(const PickContext& context,
                                                             Usable usable) {
  const std::span<const std::uint32_t> candidates = candidates_.among(weights_, usable);
  if (candidates.empty()) return std::nullopt;
  if (candidates.size() == 1) return weights_.provider(candidates.front());
  const std::size_t first = context.random() % candidates.size();
  const std::size_t step = 1 + context.random() % (candidates.size() - 1);
  const std::size_t second = (first + step) % candidates.size();
  return weights_.provider(better(context, candidates[first], candidates[second]));
}

std::size_t TwoChoices::better(const PickContext& context, std::size_t a, std::size_t b) const {
  const double cost_of_a = cost(a, context.now);
  const double cost_of_b = cost(b, context.now);
  if (cost_of_a != cost_of_b) return cost_of_a < cost_of_b ? a : b;
  constexpr double kAny = 18446744073709551616.0;  // 2 to the power of 64
  const double point = static_cast<double>(context.random()) / kAny;
  return point * (weight(a) + weight(b)) < weight(a) ? a : b;
}

// Either all candidates weigh 0, or none.
double TwoChoices::weight(std::size_t member) const { return std::max(weights_[member], 1U); }

double TwoChoices::cost(std::size_t member, TimePoint now) const {
  return endpoints_[weights_.provider(member)]->load.peak_cost(now) / weight(member);
}

// Each pair is as likely.
std::vector<double> TwoChoices::shares(TimePoint now, Usable usable) {
  weights_.refresh(now);
  const std::span<const std::uint32_t> candidates = candidates_.among(weights_, usable);
  if (candidates.size() < 2) return shares_by_weight(weights_, candidates);
  std::vector<double> shares(weights_.size(), 0.0);
  const double pair = 2 / (number(candidates.size()) * number(candidates.size() - 1));
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    for (std::size_t k = i + 1; k < candidates.size(); ++k) {
      const std::uint32_t a = candidates[i];
      const std::uint32_t b = candidates[k];
      const double difference = cost(a, now) - cost(b, now);
      double part_of_a = weight(a) / (weight(a) + weight(b));
      if (difference != 0) part_of_a = difference < 0 ? 1 : 0;
      shares[a] += pair * part_of_a;
      shares[b] += pair * (1 - part_of_a);
    }
  }
  return shares;
}

}  // namespace skiff::forwarder
