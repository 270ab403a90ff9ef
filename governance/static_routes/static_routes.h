#pragma once

#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "dubbo/result.h"
#include "governance/static_routes/virtual_host.h"

namespace skiff::governance {

// All virtual hosts together, by the interfaces that they are for, and the filters of all services.
// Immutable once made.
class StaticRoutes {
 public:
  // Fails with kInvalidArgument and all that is wrong where two have the same name or domain, with
  // kTooLarge over kMaxVirtualHosts. None may be null.
  // Likewise over kMaxFilters, those of all services and of any one host together, and over
  // kMaxFilterBytes.
  static Result<StaticRoutes> of(std::vector<VirtualHostPtr> hosts,
                                 std::vector<FilterEntryPtr> filters = {});
  StaticRoutes() = default;

  // The one whose domains have the interface itself, else the longest prefix of it, else "*"; null
  // where there is none.
  VirtualHostPtr find(std::string_view interface) const;
  // Those of all services, then those of the virtual host that find() has; null where there are
  // none.
  std::shared_ptr<const FilterChain> filters_of(std::string_view interface) const;
  // In the order in which they were given.
  std::span<const VirtualHostPtr> all() const { return hosts_; }

 private:
  std::vector<VirtualHostPtr> hosts_;
  std::vector<FilterEntryPtr> filters_;
  std::map<std::string, VirtualHostPtr, std::less<>> exact_;
  std::map<std::string, VirtualHostPtr, std::less<>> prefixes_;  // "" for "*"
};

}  // namespace skiff::governance
