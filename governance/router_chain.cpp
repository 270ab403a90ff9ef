#include "governance/router_chain.h"

namespace skiff::governance {

RouterChain::RouterChain(const Routers& routers, std::string_view method) {
  for (std::size_t i = 0; i < routers.size(); ++i) {
    const Router* router = routers[i].get();
    if (!router->concerns(method)) continue;
    links_.push_back({.router = router,
                      .demand = demands_.add(router->demand()),
                      .group = router->group(),
                      .bit = router_bit(i)});
    reads_more_than_method_ = reads_more_than_method_ || router->reads_more_than_method();
  }
}

}  // namespace skiff::governance
