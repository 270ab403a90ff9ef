#pragma once

#include <vector>

#include "governance/static_routes/virtual_host.h"

namespace skiff::governance {

// Reads the `routes` of a virtual host that has these clusters. What is wrong is said in `fields`.
std::vector<RouteEntry> read_route_entries(const YamlFields& fields,
                                           const std::vector<StaticCluster>& clusters);

}  // namespace skiff::governance
