#pragma once

#include <string>
#include <string_view>

#include "governance/filters/filter.h"
#include "governance/filters/keyed_cells.h"
#include "governance/yaml_fields.h"

namespace skiff::governance {

// What a limit counts apart: `by: [service, method, caller]`; without any of them all requests
// together. A caller is an application where its requests say which, else an address.
struct LimitKeys {
  bool service = false;
  bool method = false;
  bool caller = false;

  bool any() const { return service || method || caller; }
  // A number for the request's keys; never 0, and differs for different keys as well as 64 bits
  // can.
  std::uint64_t of(const RequestFacts& facts) const;
  // For people: "each service and caller", "all requests".
  std::string to_string() const;
  // The same of one request: "service a.Demo, caller shop".
  std::string to_string(const RequestFacts& facts) const;
};
LimitKeys read_limit_keys(const YamlFields& fields);

// As many as a limit with these keys counts in.
KeyedCells cells_for(const LimitKeys& keys);

}  // namespace skiff::governance
