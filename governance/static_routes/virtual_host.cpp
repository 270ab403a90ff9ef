#include "governance/static_routes/virtual_host.h"

#include <algorithm>
#include <tuple>

#include "governance/static_routes/limits.h"

namespace skiff::governance {

const StaticCluster* VirtualHost::cluster(std::string_view cluster_name) const {
  const auto found = std::ranges::find(clusters, cluster_name, &StaticCluster::name);
  return found == clusters.end() ? nullptr : &*found;
}

std::string VirtualHost::entry_title(std::size_t index) const {
  const std::string& given = routes[index].name;
  return "entry " + (given.empty() ? std::to_string(index + 1) : given);
}

bool VirtualHost::operator==(const VirtualHost& other) const {
  return std::tie(name, domains, group, version, routes, clusters) ==
             std::tie(other.name, other.domains, other.group, other.version, other.routes,
                      other.clusters) &&
         std::ranges::equal(filters, other.filters, are_alike);
}

bool is_route_name(std::string_view name) {
  return !name.empty() && name.size() <= kMaxRouteNameBytes &&
         std::ranges::all_of(name, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '_' || c == '.' || c == '-';
         });
}

}  // namespace skiff::governance
