#include "governance/static_routes/static_cluster_parser.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <utility>

#include "dubbo/url.h"
#include "governance/static_routes/limits.h"
#include "governance/static_routes/route_fields.h"

namespace skiff::governance {
namespace {

struct LbType {
  const char* name;
  LoadBalance balance;
};

// Both round robins are weighted: hosts without a weight have the same one.
constexpr std::array kLbTypes = {LbType{"ROUNDROBIN", LoadBalance::kRoundRobin},
                                 LbType{"WEIGHTED_ROUNDROBIN", LoadBalance::kRoundRobin},
                                 LbType{"RANDOM", LoadBalance::kRandom},
                                 LbType{"LEAST_REQUEST", LoadBalance::kLeastActive},
                                 LbType{"CONSISTENT_HASH", LoadBalance::kConsistentHash},
                                 LbType{"SHORTEST_RESPONSE", LoadBalance::kShortestResponse},
                                 LbType{"P2C", LoadBalance::kP2c}};

std::optional<LoadBalance> read_lb_type(const YamlFields& fields) {
  const auto given = fields.optional_text("lb_type");
  if (!given) return std::nullopt;
  std::vector<std::string> names;
  for (const LbType& type : kLbTypes) {
    if (*given == type.name) return type.balance;
    names.emplace_back(type.name);
  }
  fields.add_error(
      "lb_type", "came '" + given->substr(0, kMaxRouteNameBytes) + "', expected " + one_of(names));
  return std::nullopt;
}

bool is_numeric(const std::string& host) {
  std::array<unsigned char, sizeof(in6_addr)> parsed{};
  return inet_pton(AF_INET, host.c_str(), parsed.data()) == 1 ||
         inet_pton(AF_INET6, host.c_str(), parsed.data()) == 1;
}

StaticHost read_host(const YamlFields& fields) {
  fields.refuse_others_than({"address", "weight"});
  StaticHost host;
  host.weight = static_cast<std::uint32_t>(fields.integer("weight", 1, 1, kMaxHostWeight));
  if (!fields.has("address")) {
    fields.add_error("address is missing");
    return host;
  }
  const std::string text = read_route_text(fields, "address");
  const auto address = dubbo::parse_host_port(text);
  if (!address || address->port == 0 || !is_numeric(address->host)) {
    fields.add_error("address", "came '" + text.substr(0, kMaxRouteNameBytes) +
                                    "', expected a numeric address with a port (10.0.0.5:20880)");
    return host;
  }
  host.host = address->host;
  host.port = address->port;
  return host;
}

std::vector<StaticHost> read_hosts(const YamlFields& fields) {
  std::vector<StaticHost> hosts;
  std::set<std::pair<std::string, std::uint16_t>> seen;
  for (const YamlFields& item : maps_up_to(kMaxStaticHosts, fields, "hosts")) {
    StaticHost host = read_host(item);
    if (host.port == 0) continue;
    if (!seen.emplace(host.host, host.port).second) {
      item.add_error("address", dubbo::format_host_port(host.host, host.port) + " is given twice");
    }
    hosts.push_back(std::move(host));
  }
  return hosts;
}

StaticCluster read_cluster(const YamlFields& fields) {
  fields.refuse_others_than({"name", "lb_type", "subset", "hosts"});
  StaticCluster cluster{.name = need_route_name(fields, "name")};
  cluster.balance = read_lb_type(fields);
  cluster.subset = read_subset(fields);
  cluster.hosts = read_hosts(fields);
  const YAML::Node hosts = fields.node("hosts");
  if (fields.has("hosts") && hosts.IsSequence() && hosts.size() == 0) {
    fields.add_error("hosts", "came an empty list; leave it out to mean the registry's providers");
  }
  if (!cluster.subset.empty() && !cluster.hosts.empty()) {
    fields.add_error("subset",
                     "it chooses among the registry's providers, not among `hosts`: give "
                     "one of the two");
  }
  return cluster;
}

// An address has one weight, in whichever cluster it is called.
void refuse_different_weights(const YamlFields& fields,
                              const std::vector<StaticCluster>& clusters) {
  std::map<std::pair<std::string, std::uint16_t>, std::pair<std::uint32_t, std::string>> known;
  for (const StaticCluster& cluster : clusters) {
    for (const StaticHost& host : cluster.hosts) {
      const auto [first, is_new] =
          known.emplace(std::pair(host.host, host.port), std::pair(host.weight, cluster.name));
      const auto& [weight, name] = first->second;
      if (is_new || weight == host.weight) continue;
      fields.add_error("clusters", "host " + dubbo::format_host_port(host.host, host.port) +
                                       " has weight " + std::to_string(weight) + " in cluster " +
                                       name + " and weight " + std::to_string(host.weight) +
                                       " in cluster " + cluster.name + ", expected the same");
    }
  }
}

}  // namespace

std::string_view lb_type_of(LoadBalance balance) {
  const auto* found = std::ranges::find(kLbTypes, balance, &LbType::balance);
  return found == kLbTypes.end() ? std::string_view() : found->name;
}

std::map<std::string, std::string> read_subset(const YamlFields& fields) {
  std::map<std::string, std::string> labels;
  const auto map = fields.map("subset");
  if (!map) return labels;
  const std::vector<std::string> keys = map->keys();
  if (keys.size() > kMaxSubsetLabels) {
    fields.add_error("subset", "came " + std::to_string(keys.size()) + " labels, the limit is " +
                                   std::to_string(kMaxSubsetLabels));
    return labels;
  }
  for (const std::string& key : keys) {
    if (key.empty() || key.size() > kMaxRouteNameBytes) {
      map->add_error("a label must have a name of at most " + std::to_string(kMaxRouteNameBytes) +
                     " bytes");
    } else if (!map->has(key.c_str())) {
      map->add_error(key.c_str(), "came nothing, expected a text");
    } else if (!labels.emplace(key, read_route_text(*map, key.c_str())).second) {
      map->add_error(key.c_str(), "given twice");
    }
  }
  return labels;
}

std::vector<StaticCluster> read_static_clusters(const YamlFields& fields) {
  std::vector<StaticCluster> clusters;
  std::set<std::string> names;
  for (const YamlFields& item : maps_up_to(kMaxStaticClusters, fields, "clusters")) {
    StaticCluster cluster = read_cluster(item);
    if (!cluster.name.empty() && !names.insert(cluster.name).second) {
      item.add_error("name", "there is another cluster " + cluster.name);
    }
    clusters.push_back(std::move(cluster));
  }
  refuse_different_weights(fields, clusters);
  return clusters;
}

}  // namespace skiff::governance
