#include "governance/compile_route.h"

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

#include "governance/effective_url.h"
#include "governance/rule_key.h"
#include "governance/static_routes/static_providers.h"
#include "governance/static_routes/static_route_rule.h"

namespace skiff::governance {
namespace {

// The providers of one group and version, in the order of Cluster::providers.
struct ClusterUrls {
  dubbo::ServiceKey service;
  std::vector<dubbo::Url> effective;     // what consumer and configurators say applied
  std::vector<dubbo::Url> before_rules;  // the same without configurators; empty where none are
};

ClusterUrls& cluster_of(std::vector<ClusterUrls>& clusters, const dubbo::ServiceKey& key) {
  for (ClusterUrls& cluster : clusters) {
    if (cluster.service.group == key.group && cluster.service.version == key.version) {
      return cluster;
    }
  }
  ClusterUrls& cluster = clusters.emplace_back();
  cluster.service = key;
  return cluster;
}

// One address is one provider: the node of a previous life of it may still be there.
void keep_youngest_of_each_address(std::vector<dubbo::Url>& urls) {
  std::ranges::stable_sort(urls, [](const dubbo::Url& a, const dubbo::Url& b) {
    const auto left = std::tie(a.host, a.port);
    const auto right = std::tie(b.host, b.port);
    return left != right ? left < right : started_at_ms_of(a) > started_at_ms_of(b);
  });
  const auto is_same_address = [](const dubbo::Url& a, const dubbo::Url& b) {
    return a.host == b.host && a.port == b.port;
  };
  urls.erase(std::unique(urls.begin(), urls.end(), is_same_address), urls.end());
}

std::string left_out(const std::string& interface, const dubbo::Url& url, const std::string& why) {
  std::string sentence("provider ");
  sentence.append(url.address()).append(" of ").append(interface);
  return sentence.append(" is left out: ").append(why);
}

// Makes what was listed what is effective. Where neither consumer nor configurators say anything,
// which is the ordinary case, nothing is copied.
void merge(const RouteInputs& inputs, ClusterUrls& cluster) {
  const Configurators configurators =
      inputs.rules.configurators(cluster.service, inputs.consumer.application);
  if (configurators.empty() && inputs.consumer.parameters.empty()) return;
  for (dubbo::Url& url : cluster.effective) {
    if (configurators.empty()) {
      url = effective_provider_url(url, inputs.consumer, {});
    } else {
      cluster.before_rules.push_back(effective_provider_url(url, inputs.consumer, {}));
      url = effective_provider_url(url, inputs.consumer, configurators);
    }
  }
}

void leave_out_uncallable(const std::string& interface, ClusterUrls& cluster,
                          std::vector<std::string>& problems) {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < cluster.effective.size(); ++i) {
    const std::string why = why_not_callable(cluster.effective[i]);
    if (!why.empty()) {
      problems.push_back(left_out(interface, cluster.effective[i], why));
      continue;
    }
    if (kept != i) {
      cluster.effective[kept] = std::move(cluster.effective[i]);
      if (!cluster.before_rules.empty()) {
        cluster.before_rules[kept] = std::move(cluster.before_rules[i]);
      }
    }
    ++kept;
  }
  cluster.effective.resize(kept);
  if (!cluster.before_rules.empty()) cluster.before_rules.resize(kept);
}

std::vector<std::string> applications_of(const std::vector<dubbo::Url>& providers) {
  std::set<std::string, std::less<>> names;
  for (const dubbo::Url& url : providers) {
    const std::string_view name = application_of(url);
    if (!name.empty()) names.emplace(name);
  }
  return {names.begin(), names.end()};
}

ProviderSet same_zone(const ClusterUrls& urls, const dubbo::ConsumerIdentity& consumer) {
  const auto zone = consumer.parameters.find(std::string(kZoneParameter));
  if (zone == consumer.parameters.end() || zone->second.empty()) return {};
  ProviderSet same = ProviderSet::none(urls.effective.size());
  for (std::size_t i = 0; i < urls.effective.size(); ++i) {
    if (urls.effective[i].parameter(kZoneParameter) == zone->second) same.add(i);
  }
  return same.empty() || same.count() == same.size() ? ProviderSet() : same;
}

Routers compile_routers(const RouteInputs& inputs, const ClusterUrls& urls,
                        const VirtualHostPtr& virtual_host) {
  const RuleScope scope{.interface = inputs.interface,
                        .group = urls.service.group,
                        .version = urls.service.version,
                        .providers = urls.effective,
                        .consumer = inputs.consumer};
  Routers routers;
  if (virtual_host) static_route_rule(virtual_host)->compile(scope, routers);
  for (const RouterRulePtr& rule : inputs.rules.routers(urls.service, inputs.consumer.application,
                                                        applications_of(urls.effective))) {
    rule->compile(scope, routers);
  }
  return routers;
}

// As in Dubbo, the first provider speaks for all.
std::shared_ptr<const Policies> policies_of(const ClusterUrls& urls,
                                            std::vector<std::string>& problems) {
  if (urls.effective.empty()) return nullptr;
  Policies policies = read_policies(urls.effective.front(), problems);
  if (policies == Policies()) return nullptr;
  return std::make_shared<const Policies>(std::move(policies));
}

std::vector<MirrorTarget> mirrors_of(const FilterChain& filters, const ClusterUrls& urls) {
  std::vector<MirrorTarget> mirrors;
  for (const FilterEntryPtr& entry : filters.entries()) {
    const StaticCluster* target = entry->filter->mirror_target();
    if (target == nullptr) continue;
    mirrors.push_back(
        {.filter = entry->filter.get(), .providers = providers_of(*target, urls.effective)});
  }
  return mirrors;
}

Cluster compile_cluster(const RouteInputs& inputs, const ClusterUrls& urls,
                        const VirtualHostPtr& virtual_host, const FilterChain* filters,
                        std::vector<std::string>& problems) {
  Cluster cluster{.group = urls.service.group, .version = urls.service.version, .providers = {}};
  cluster.providers.reserve(urls.effective.size());
  for (std::size_t i = 0; i < urls.effective.size(); ++i) {
    cluster.providers.push_back(read_provider(
        urls.effective[i], urls.before_rules.empty() ? nullptr : &urls.before_rules[i]));
  }
  cluster.policies = policies_of(urls, problems);
  cluster.preferred = same_zone(urls, inputs.consumer);
  cluster.routers = compile_routers(inputs, urls, virtual_host);
  if (filters) cluster.mirrors = mirrors_of(*filters, urls);
  return cluster;
}

// Takes the providers out of `inputs`.
std::vector<ClusterUrls> take_cluster_urls(RouteInputs& inputs, const VirtualHost* virtual_host,
                                           std::vector<std::string>& problems) {
  std::vector<ClusterUrls> clusters;
  for (dubbo::Url& url :
       with_static_providers(std::move(inputs.providers), virtual_host, inputs.interface)) {
    const dubbo::ServiceKey key = url.service_key();
    cluster_of(clusters, key).effective.push_back(std::move(url));
  }
  for (ClusterUrls& cluster : clusters) {
    cluster.service.interface = inputs.interface;
    keep_youngest_of_each_address(cluster.effective);
    merge(inputs, cluster);
    leave_out_uncallable(inputs.interface, cluster, problems);
  }
  std::erase_if(clusters, [](const ClusterUrls& cluster) { return cluster.effective.empty(); });
  std::ranges::sort(clusters, {}, [](const ClusterUrls& cluster) {
    return std::tie(cluster.service.version, cluster.service.group);
  });
  return clusters;
}

}  // namespace

CompiledRoute compile_service_route(RouteInputs inputs) {
  CompiledRoute compiled;
  compiled.route.interface = inputs.interface;
  const VirtualHostPtr virtual_host =
      inputs.static_routes ? inputs.static_routes->find(inputs.interface) : nullptr;
  if (inputs.static_routes) {
    compiled.route.filters = inputs.static_routes->filters_of(inputs.interface);
  }
  for (const ClusterUrls& urls : take_cluster_urls(inputs, virtual_host.get(), compiled.problems)) {
    compiled.route.clusters.push_back(compile_cluster(
        inputs, urls, virtual_host, compiled.route.filters.get(), compiled.problems));
  }
  compiled.route.clusters.shrink_to_fit();
  return compiled;
}

}  // namespace skiff::governance
