#include "governance/static_routes/static_routes.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include "governance/static_routes/limits.h"

namespace skiff::governance {
namespace {

std::size_t bytes_of(const std::vector<VirtualHostPtr>& hosts,
                     const std::vector<FilterEntryPtr>& filters) {
  std::size_t bytes = 0;
  const auto add = [&bytes](const std::vector<FilterEntryPtr>& entries) {
    for (const FilterEntryPtr& entry : entries) bytes += entry->filter->kept_bytes();
  };
  add(filters);
  for (const VirtualHostPtr& host : hosts) add(host->filters);
  return bytes;
}

}  // namespace

Result<StaticRoutes> StaticRoutes::of(std::vector<VirtualHostPtr> hosts,
                                      std::vector<FilterEntryPtr> filters) {
  if (hosts.size() > kMaxVirtualHosts) {
    return fail(ErrorCode::kTooLarge, "came " + std::to_string(hosts.size()) +
                                          " routes, the limit is " +
                                          std::to_string(kMaxVirtualHosts));
  }
  if (const std::size_t bytes = bytes_of(hosts, filters); bytes > kMaxFilterBytes) {
    return fail(ErrorCode::kTooLarge, "the limits among the filters count in " +
                                          std::to_string(bytes) + " bytes, which may be " +
                                          std::to_string(kMaxFilterBytes) +
                                          ": have fewer with `by`");
  }
  StaticRoutes routes;
  std::set<std::string_view> names;
  std::string problems;
  const auto add_problem = [&problems](const std::string& sentence) {
    problems += (problems.empty() ? "" : "; ") + sentence;
  };
  for (const VirtualHostPtr& host : hosts) {
    if (!names.insert(host->name).second) add_problem("there are two routes " + host->name);
    if (const std::size_t count = filters.size() + host->filters.size(); count > kMaxFilters) {
      add_problem("route " + host->name + " has, with those of all services, " +
                  std::to_string(count) + " filters, the limit is " + std::to_string(kMaxFilters));
    }
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
  routes.filters_ = std::move(filters);
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

std::shared_ptr<const FilterChain> StaticRoutes::filters_of(std::string_view interface) const {
  std::vector<FilterEntryPtr> entries;
  std::ranges::copy_if(filters_, std::back_inserter(entries),
                       [&](const FilterEntryPtr& entry) { return entry->is_for(interface); });
  if (const VirtualHostPtr host = find(interface); host) {
    entries.insert(entries.end(), host->filters.begin(), host->filters.end());
  }
  if (entries.empty()) return nullptr;
  return std::make_shared<const FilterChain>(std::move(entries));
}

}  // namespace skiff::governance
