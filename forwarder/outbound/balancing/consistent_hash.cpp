#include "forwarder/outbound/balancing/consistent_hash.h"

#include <string_view>
#include <utility>

#include "forwarder/outbound/endpoint.h"

namespace skiff::forwarder {

ConsistentHash::ConsistentHash(const governance::BalancePolicy& policy, MemberWeights weights,
                               std::span<Endpoint* const> endpoints)
    : arguments_(policy.hash_arguments),
      attachment_(policy.hash_attachment),
      points_(policy.hash_nodes),
      weights_(std::move(weights)),
      endpoints_(endpoints),
      without_key_(weights_),
      asked_(weights_.size()) {}

std::optional<std::size_t> ConsistentHash::pick(const PickContext& context, Usable usable) {
  if (weights_.size() == 0) return std::nullopt;
  const auto key = context.request == nullptr ? std::nullopt : key_of(*context.request);
  if (!key) return without_key_.pick(context, usable);
  weights_.refresh(context.now);
  if (ring_.size() == 0) make_ring();
  const auto member = walk(ring_.first_at_or_after(*key), usable);
  return member ? std::optional(weights_.provider(*member)) : std::nullopt;
}

std::optional<std::uint32_t> ConsistentHash::key_of(const governance::RequestView& request) const {
  HashKey key;
  bool is_known = false;
  const auto add = [&](std::optional<std::string_view> text) {
    if (!text) return;
    key.add(*text);
    is_known = true;
  };
  if (!attachment_.empty()) {
    add(request.attachment(attachment_));
  } else {
    for (const std::uint32_t index : arguments_) add(request.argument(index));
  }
  return is_known ? std::optional(key.point()) : std::nullopt;
}

void ConsistentHash::make_ring() {
  std::vector<std::string_view> addresses;
  for (std::size_t member = 0; member < weights_.size(); ++member) {
    addresses.push_back(endpoints_[weights_.provider(member)]->address);
  }
  ring_ = HashRing(addresses, points_);
}

std::optional<std::size_t> ConsistentHash::walk(std::size_t place, Usable usable) {
  const std::uint32_t owner = ring_.owner(place);
  if (weights_[owner] > 0 && usable(weights_.provider(owner))) return owner;
  if (const auto member = walk_on(place, usable, false)) return member;
  return walk_on(place, usable, true);
}

// Asks for each member once, however many points it has.
std::optional<std::size_t> ConsistentHash::walk_on(std::size_t place, Usable usable,
                                                   bool takes_weight_0) {
  asked_.assign(weights_.size(), false);
  std::size_t left = weights_.size();
  for (std::size_t i = 0; i < ring_.size() && left > 0; ++i, place = ring_.next(place)) {
    const std::uint32_t owner = ring_.owner(place);
    if (asked_[owner]) continue;
    asked_[owner] = true;
    --left;
    if (weights_[owner] == 0 && !takes_weight_0) continue;
    if (usable(weights_.provider(owner))) return owner;
  }
  return std::nullopt;
}

std::vector<double> ConsistentHash::shares(TimePoint now, Usable usable) {
  std::vector<double> shares(weights_.size(), 0.0);
  if (weights_.size() == 0) return shares;
  weights_.refresh(now);
  if (ring_.size() == 0) make_ring();
  for (std::size_t place = 0; place < ring_.size(); ++place) {
    const auto member = walk(place, usable);
    if (!member) return shares;
    shares[*member] += ring_.share(place);
  }
  return shares;
}

}  // namespace skiff::forwarder
