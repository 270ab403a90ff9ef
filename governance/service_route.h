#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "governance/filters/filter_chain.h"
#include "governance/policy.h"
#include "governance/provider_endpoint.h"
#include "governance/provider_set.h"
#include "governance/router.h"

namespace skiff::governance {

// The providers that a filter sends copies to.
struct MirrorTarget {
  const Filter* filter = nullptr;  // of the route's chain
  ProviderSet providers;

  bool operator==(const MirrorTarget&) const = default;
};

// The providers of one group and version of an interface.
struct Cluster {
  std::string group;
  std::string version;  // normalized
  std::vector<ProviderEndpoint> providers;
  // In the order in which they are applied.
  Routers routers = {};
  // Null: as Policies() says.
  std::shared_ptr<const Policies> policies = {};
  // Those that come first as long as enough of them can be called; of size 0 where none do.
  ProviderSet preferred = {};
  // Where filters send copies.
  std::vector<MirrorTarget> mirrors = {};

  const Policy& policy_of(std::string_view method) const;

  bool operator==(const Cluster&) const = default;
};

// Dubbo's own (protocol.md 2, "Cluster modes").
inline constexpr std::uint32_t kDefaultRetries = 2;

struct Retries {
  std::uint32_t count = 0;
  bool elsewhere_only = false;  // not at a provider that was sent the request already
};
// For a call that one of the cluster's providers is sent. Where its URL does not say, the default
// is for calls that may go to another one: one that stands alone, or has lost a call already, is
// asked again only where it says that it may be. `method`: nothing where it is not known, which
// allows no more than the strictest one does.
Retries retries_of(const Cluster& cluster, const ProviderEndpoint& provider,
                   std::optional<std::string_view> method);

// How requests for one interface are routed; immutable once compiled.
struct ServiceRoute {
  std::string interface;
  std::vector<Cluster> clusters;                    // sorted by version, then group
  std::shared_ptr<const FilterChain> filters = {};  // null: none

  bool operator==(const ServiceRoute&) const = default;
};

}  // namespace skiff::governance
