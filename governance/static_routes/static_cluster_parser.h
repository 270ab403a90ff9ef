#pragma once

#include <map>
#include <string>
#include <vector>

#include "governance/static_routes/virtual_host.h"

namespace skiff::governance {

// Reads the `clusters` of a virtual host. What is wrong is said in `fields`.
std::vector<StaticCluster> read_static_clusters(const YamlFields& fields);
// The labels below `subset`; none where it is absent.
std::map<std::string, std::string> read_subset(const YamlFields& fields);

}  // namespace skiff::governance
