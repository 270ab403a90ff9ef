#pragma once

#include <span>
#include <vector>

#include "governance/filters/filter.h"
#include "governance/static_routes/virtual_host.h"
#include "governance/yaml_fields.h"

namespace skiff::governance {

// Reads the map below a filter's kind. Says in `fields` what is wrong, and may then return null.
using ReadFilter = FilterPtr(const YamlFields& fields, const std::vector<StaticCluster>& clusters);

struct FilterKind {
  const char* name;  // the key that it has in a filter
  ReadFilter* read;
};
std::span<const FilterKind> filter_kinds();

}  // namespace skiff::governance
