#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "governance/router.h"

namespace skiff::governance {

// What the routers of a cluster say of a request.
struct ChainResult {
  const Router* refused_by = nullptr;   // then nobody is left
  const RoutePolicy* policy = nullptr;  // of the last router that has one
  std::string_view detail = {};         // of the router that refused
  std::uint32_t narrowed = 0;           // by so many routers
};

// Narrows `providers` to those that all routers leave. `visit(router, result, providers)` hears of
// each that was asked, with what is left after it. Allocates nothing.
template <typename Visit>
ChainResult apply_routers(std::span<const Router* const> routers, const RequestView& request,
                          Draw& draw, ProviderSet& providers, Visit visit) {
  ChainResult chain;
  std::uint32_t matched_group = 0;
  for (const Router* router : routers) {
    const std::uint32_t group = router->group();
    if (group != 0 && group == matched_group) continue;
    const Router::Result result = router->apply(request, draw, providers);
    visit(*router, result, providers);
    if (result.outcome == Router::Outcome::kNoMatch) continue;
    matched_group = group;
    if (result.outcome == Router::Outcome::kRefused) {
      chain.refused_by = router;
      chain.detail = result.detail;
      return chain;
    }
    if (result.outcome == Router::Outcome::kNarrowed) ++chain.narrowed;
    if (result.policy != nullptr) chain.policy = result.policy;
  }
  return chain;
}

}  // namespace skiff::governance
