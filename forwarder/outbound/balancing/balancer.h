#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "forwarder/function_ref.h"
#include "forwarder/random_source.h"
#include "forwarder/timer_wheel.h"
#include "governance/policy.h"
#include "governance/request_view.h"
#include "governance/service_route.h"

namespace skiff::forwarder {

class Endpoint;

// Of what a choice may depend, beside the providers.
struct PickContext {
  TimePoint now;
  RandomSource& random;
  // What a consistent hash hashes; read only by it. null: it chooses by weight.
  const governance::RequestView* request = nullptr;
};

// Whether the cluster's provider of that index may be chosen now.
using Usable = FunctionRef<bool(std::size_t)>;

// Chooses one of some providers of a cluster, its members. Weights count, with warm-up: a member of
// weight 0 is chosen only where no usable one has a weight; where all are 0, the choice is uniform,
// as in stock Dubbo. Lives on its worker's thread.
class Balancer {
 public:
  virtual ~Balancer() = default;

  // The index in the cluster of a member for which `usable` holds; nullopt where there is none.
  // Allocates nothing (but a consistent hash its ring, once).
  virtual std::optional<std::size_t> pick(const PickContext& context, Usable usable) = 0;

  // Whether requests like this one all go to the same member, as long as that is usable: then
  // pick() draws nothing.
  virtual bool is_decided_by(const governance::RequestView& /*request*/) const { return false; }

  // For people: what part of the requests each member would get as things are now, in the order of
  // the members; all 0 where none is usable. The sum is 1 else. P2C takes time in the square of
  // the members.
  virtual std::vector<double> shares(TimePoint now, Usable usable) = 0;
};

// `members` are indices of `providers`, ascending. `providers` and `endpoints`, which are in the
// same order, must outlive the balancer.
std::unique_ptr<Balancer> make_balancer(const governance::BalancePolicy& policy,
                                        std::span<const governance::ProviderEndpoint> providers,
                                        std::span<Endpoint* const> endpoints,
                                        std::vector<std::uint32_t> members);

// The same, where `preferred`, some of the members, come first as long as `min_percent` of them are
// usable.
std::unique_ptr<Balancer> make_balancer(const governance::BalancePolicy& policy,
                                        std::span<const governance::ProviderEndpoint> providers,
                                        std::span<Endpoint* const> endpoints,
                                        std::vector<std::uint32_t> members,
                                        std::vector<std::uint32_t> preferred,
                                        std::uint32_t min_percent);

}  // namespace skiff::forwarder
