#include "governance/static_routes/static_routes.h"

#include <set>
#include <utility>

#include "governance/static_routes/limits.h"

namespace skiff::governance {

Result<StaticRoutes> StaticRoutes::of(std::vector<VirtualHostPtr> hosts) {
  if (hosts.size() > kMaxVirtualHosts) {
    return fail(ErrorCode::kTooLarge, "came " + std::to_string(hosts.size()) +
                                          " routes, the limit is " +
                                          std::to_string(kMaxVirtualHosts));
  }
  StaticRoutes routes;
  std::set<std::string_view> names;
  std::string problems;
  const auto add_problem = [&problems](const std::string& sentence) {
    problems += (problems.empty() ? "" : "; ") + sentence;
  };
  for (const VirtualHostPtr& host : hosts) {
    if (!names.insert(host->name).second) add_problem("there are two routes " + host->name);
    for (const std::string& domain : host->domains) {
      const bool is_prefix = domain.ends_with('*');
      auto& table = is_prefix ? routes.prefixes_ : routes.exact_;
      const auto [first, is_new] =
          table.emplace(domain.substr(0, domain.size() - (is_prefix ? 1 : 0)), host);
      if (is_new) continue;
      add_problem("routes " + first->second->name + " and " + host->name +
                  " are both for the domain " + domain);
    }
  }
  if (!problems.empty()) return fail(ErrorCode::kInvalidArgument, std::move(problems));
  routes.hosts_ = std::move(hosts);
  return routes;
}

VirtualHostPtr StaticRoutes::find(std::string_view interface) const {
  if (const auto exact = exact_.find(interface); exact != exact_.end()) return exact->second;
  if (prefixes_.empty()) return nullptr;
  for (std::size_t length = interface.size() + 1; length-- > 0;) {
    const auto found = prefixes_.find(interface.substr(0, length));
    if (found != prefixes_.end()) return found->second;
  }
  return nullptr;
}

}  // namespace skiff::governance
