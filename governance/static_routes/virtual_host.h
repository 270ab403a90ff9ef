#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dubbo/result.h"
#include "governance/filters/filter_chain.h"
#include "governance/policy.h"
#include "governance/static_routes/route_match.h"
#include "governance/yaml_fields.h"

namespace skiff::governance {

// Static routes (protocol.md 5; docs/routes.md is the manual): what an operator wrote, and nothing
// is derived from it here.

struct WeightedCluster {
  std::string name;
  std::uint32_t weight = 0;

  bool operator==(const WeightedCluster&) const = default;
};

// One of a virtual host's `routes`.
struct RouteEntry {
  std::string name = {};  // "" where none was given
  RouteMatch match = {};
  // Where its requests go. `cluster: X` is one with all of the weight; of `weighted_clusters` the
  // weights sum to kWeightSum.
  std::vector<WeightedCluster> clusters = {};
  std::optional<std::chrono::milliseconds> timeout = {};
  std::optional<std::uint32_t> retries = {};  // what `retry_policy` comes to

  bool operator==(const RouteEntry&) const = default;
};

struct StaticHost {
  std::string host;  // numeric
  std::uint16_t port = 0;
  std::uint32_t weight = 1;

  bool operator==(const StaticHost&) const = default;
};

// Its own hosts; without any, the registry's providers that have all the labels of `subset` among
// their URL's parameters.
struct StaticCluster {
  std::string name;
  std::optional<LoadBalance> balance = {};
  std::map<std::string, std::string> subset = {};
  std::vector<StaticHost> hosts = {};

  bool operator==(const StaticCluster&) const = default;
};

struct VirtualHost {
  std::string name;
  std::vector<std::string> domains = {};  // interfaces: "a.Demo", "a.*", "*"
  std::string group = {};                 // of the hosts of clusters
  std::string version = {};               // likewise; normalized
  std::vector<RouteEntry> routes = {};    // the first that matches counts
  std::vector<StaticCluster> clusters = {};
  std::vector<FilterEntryPtr> filters = {};  // in this order, behind those of all services

  // nullptr where there is none.
  const StaticCluster* cluster(std::string_view cluster_name) const;
  // For people: "entry canary", "entry 2" (from 1) where it has no name.
  std::string entry_title(std::size_t index) const;

  bool operator==(const VirtualHost& other) const;  // what was written
};
using VirtualHostPtr = std::shared_ptr<const VirtualHost>;

// Whether `name` can name a virtual host, a route or a cluster: A-Z a-z 0-9 _ . - and not longer
// than kMaxRouteNameBytes.
bool is_route_name(std::string_view name);

// What `lb_type` calls it.
std::string_view lb_type_of(LoadBalance balance);

// Reads one virtual host, YAML or JSON, which YAML includes. Its `name` may be left out where
// `name` is not empty, and must agree otherwise. Fails with kTooLarge, or with kMalformed and all
// that is wrong, each with line and field.
Result<VirtualHost> parse_virtual_host(std::string_view text, std::string_view name = {});
// The same of a part of a document. What is wrong is said in `fields`; what is returned then means
// nothing.
VirtualHost read_virtual_host(const YamlFields& fields, std::string_view name = {});

}  // namespace skiff::governance
