#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "governance/router_chain.h"

// What a request meets on its way through routers: by their chain, and by asking one after the
// other, which it must come to the same as.
namespace skiff::governance {

struct WalkStep {
  const Router* router = nullptr;
  Router::Outcome outcome = Router::Outcome::kNoMatch;
  const RoutePolicy* policy = nullptr;
  std::string detail;
  ProviderSet left;

  bool operator==(const WalkStep&) const = default;
};
using Walk = std::vector<WalkStep>;

inline Walk walk_plainly(const Routers& routers, const RequestView& request, Draw& draw,
                         std::size_t providers) {
  Walk walk;
  ProviderSet left = ProviderSet::all(providers);
  std::uint32_t matched_group = 0;
  for (const auto& router : routers) {
    if (!router->concerns(request.method)) continue;
    if (router->group() != 0 && router->group() == matched_group) continue;
    const Router::Result result = router->apply(request, draw, left);
    walk.push_back({router.get(), result.outcome, result.policy, std::string(result.detail), left});
    if (result.outcome == Router::Outcome::kRefused) break;
    if (result.outcome != Router::Outcome::kNoMatch) matched_group = router->group();
  }
  return walk;
}

inline Walk walk_by_chain(const Routers& routers, const RequestView& request, Draw& draw,
                          std::size_t providers) {
  Walk walk;
  ProviderSet left = ProviderSet::all(providers);
  RouterChain(routers, request.method)
      .apply(request, draw, left,
             [&](const Router& router, const Router::Result& result, const ProviderSet& after) {
               walk.push_back(
                   {&router, result.outcome, result.policy, std::string(result.detail), after});
             });
  return walk;
}

}  // namespace skiff::governance
