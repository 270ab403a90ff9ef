#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "governance/demand_index.h"
#include "governance/router.h"

namespace skiff::governance {

// Of the router at `index` among a cluster's; those from kFirstSharedBit on share one.
inline constexpr std::size_t kFirstSharedBit = 63;
constexpr std::uint64_t router_bit(std::size_t index) {
  return std::uint64_t{1} << (index < kFirstSharedBit ? index : kFirstSharedBit);
}

// What the routers of a cluster say of a request.
struct ChainResult {
  const Router* refused_by = nullptr;   // then nobody is left
  const RoutePolicy* policy = nullptr;  // of the last router that has one
  std::string_view detail = {};         // of the router that refused
  std::uint64_t narrowed_by = 0;        // the cluster's routers that did, by router_bit()
};

// Those of a cluster's routers that concern one method, in their order. Immutable.
class RouterChain {
 public:
  RouterChain() = default;
  // The routers must outlive it.
  RouterChain(const Routers& routers, std::string_view method);

  std::size_t size() const { return links_.size(); }
  // False where all requests for the method have the same result.
  bool reads_more_than_method() const { return reads_more_than_method_; }

  // Narrows `providers` to those that all routers leave; the request is for the chain's method.
  // `visit(router, result, providers)` hears of each router that has its turn, with what is left
  // after it. Allocates nothing.
  template <typename Visit>
  ChainResult apply(const RequestView& request, Draw& draw, ProviderSet& providers,
                    Visit visit) const;

 private:
  struct Link {
    const Router* router = nullptr;
    DemandIndex::Demand demand;
    std::uint32_t group = 0;  // of the router
    std::uint64_t bit = 0;    // its router_bit()
  };
  std::vector<Link> links_;
  DemandIndex demands_;
  bool reads_more_than_method_ = false;
};

template <typename Visit>
ChainResult RouterChain::apply(const RequestView& request, Draw& draw, ProviderSet& providers,
                               Visit visit) const {
  ChainResult chain;
  std::uint32_t matched_group = 0;
  const DemandIndex::Sent sent = demands_.look_at(request);
  for (const Link& link : links_) {
    if (link.group != 0 && link.group == matched_group) continue;
    if (!sent.may_meet(link.demand)) {
      visit(*link.router, Router::Result(), providers);
      continue;
    }
    const Router::Result result = link.router->apply(request, draw, providers);
    visit(*link.router, result, providers);
    if (result.outcome == Router::Outcome::kNoMatch) continue;
    matched_group = link.group;
    if (result.outcome == Router::Outcome::kRefused) {
      chain.refused_by = link.router;
      chain.detail = result.detail;
      return chain;
    }
    if (result.outcome == Router::Outcome::kNarrowed) chain.narrowed_by |= link.bit;
    if (result.policy != nullptr) chain.policy = result.policy;
  }
  return chain;
}

}  // namespace skiff::governance
