#include "governance/router_chain.h"

namespace skiff::governance {

RouterChain::RouterChain(const Routers& routers, std::string_view method) {
  for (const auto& router : routers) {
    if (!router->concerns(method)) continue;
    links_.push_back({.router = router.get(),
                      .demand = filter_.add(router->demand()),
                      .group = router->group()});
    reads_more_than_method_ = reads_more_than_method_ || router->reads_more_than_method();
  }
}

}  // namespace skiff::governance
