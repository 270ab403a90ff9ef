#include "governance/static_routes/virtual_host.h"

#include <algorithm>

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

bool is_route_name(std::string_view name) {
  return !name.empty() && name.size() <= kMaxRouteNameBytes &&
         std::ranges::all_of(name, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '_' || c == '.' || c == '-';
         });
}

}  // namespace skiff::governance
