#pragma once

#include <vector>

#include "governance/filters/filter_chain.h"
#include "governance/static_routes/virtual_host.h"
#include "governance/yaml_fields.h"

namespace skiff::governance {

// Where a list of filters stands.
enum class FilterScope {
  kFile,         // of all services, or of those that a filter names
  kVirtualHost,  // of those that the virtual host is for
};

// Reads the list `filters` (docs/filters.md is the manual). Says in `fields` what is wrong; what is
// returned then means nothing. `clusters` are those that a filter may name.
std::vector<FilterEntryPtr> read_filters(const YamlFields& fields, FilterScope scope,
                                         const std::vector<StaticCluster>& clusters);

// Filters that were there before, written as they are now, stay the same objects: what they have
// counted goes on.
void keep_unchanged(const std::vector<FilterEntryPtr>& before, std::vector<FilterEntryPtr>& now);

}  // namespace skiff::governance
