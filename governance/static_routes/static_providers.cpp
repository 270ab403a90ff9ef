#include "governance/static_routes/static_providers.h"

#include <map>
#include <tuple>
#include <utility>

namespace skiff::governance {
namespace {

// One provider of compile_service_route().
using Place = std::tuple<std::string, std::uint16_t, std::string, std::string>;

Place place_of(const dubbo::Url& url) {
  dubbo::ServiceKey key = url.service_key();
  return {url.host, url.port, std::move(key.group), std::move(key.version)};
}

dubbo::Url url_of(const StaticHost& host, const VirtualHost& virtual_host,
                  const std::string& interface) {
  dubbo::Url url{
      .protocol = "dubbo",
      .username = {},
      .password = {},
      .host = host.host,
      .port = host.port,
      .path = interface,
      .parameters = {
          {"interface", interface}, {"side", "provider"}, {"weight", std::to_string(host.weight)}}};
  if (!virtual_host.group.empty()) url.parameters["group"] = virtual_host.group;
  if (!virtual_host.version.empty()) url.parameters["version"] = virtual_host.version;
  return url;
}

bool belongs_to(const dubbo::Url& provider, const StaticCluster& cluster) {
  if (!cluster.hosts.empty()) return is_host_of(provider, cluster.name);
  return is_listed_provider(provider) && std::ranges::all_of(cluster.subset, [&](const auto& one) {
           return provider.parameter(one.first) == one.second;
         });
}

template <typename Belongs>
ProviderSet providers_that(std::span<const dubbo::Url> providers, Belongs belongs) {
  ProviderSet set = ProviderSet::none(providers.size());
  for (std::size_t i = 0; i < providers.size(); ++i) {
    if (belongs(providers[i])) set.add(i);
  }
  return set;
}

}  // namespace

std::vector<dubbo::Url> static_providers(const VirtualHost& host, const std::string& interface) {
  std::vector<dubbo::Url> providers;
  std::map<std::pair<std::string, std::uint16_t>, std::size_t> known;
  for (const StaticCluster& cluster : host.clusters) {
    for (const StaticHost& one : cluster.hosts) {
      const auto [at, is_new] = known.emplace(std::pair(one.host, one.port), providers.size());
      if (is_new) providers.push_back(url_of(one, host, interface));
      std::string& clusters = providers[at->second].parameters[kStaticClustersParameter];
      clusters += (clusters.empty() ? "" : ",") + cluster.name;
    }
  }
  return providers;
}

std::vector<dubbo::Url> with_static_providers(std::vector<dubbo::Url> listed,
                                              const VirtualHost* host,
                                              const std::string& interface) {
  for (dubbo::Url& url : listed) {
    url.parameters.erase(kStaticClustersParameter);
    url.parameters.erase(kAlsoListedParameter);
  }
  if (host == nullptr) return listed;
  std::map<Place, dubbo::Url> added;
  for (dubbo::Url& url : static_providers(*host, interface)) {
    Place place = place_of(url);
    added.emplace(std::move(place), std::move(url));
  }
  if (added.empty()) return listed;
  std::map<Place, bool> is_listed;
  for (dubbo::Url& url : listed) {
    const auto same = added.find(place_of(url));
    if (same == added.end()) continue;
    is_listed[same->first] = true;
    for (const char* key : {kStaticClustersParameter, "weight"}) {
      url.parameters[key] = same->second.parameters.at(key);
    }
    url.parameters[kAlsoListedParameter] = "true";
  }
  for (auto& [place, url] : added) {
    if (!is_listed.contains(place)) listed.push_back(std::move(url));
  }
  return listed;
}

bool is_listed_provider(const dubbo::Url& provider) {
  return provider.parameter(kStaticClustersParameter).empty() ||
         !provider.parameter(kAlsoListedParameter).empty();
}

bool is_host_of(const dubbo::Url& provider, std::string_view cluster) {
  std::string_view names = provider.parameter(kStaticClustersParameter);
  while (!names.empty()) {
    const std::string_view name = names.substr(0, names.find(','));
    if (name == cluster) return true;
    names.remove_prefix(std::min(name.size() + 1, names.size()));
  }
  return false;
}

ProviderSet listed_providers(std::span<const dubbo::Url> providers) {
  return providers_that(providers, is_listed_provider);
}

ProviderSet providers_of(const StaticCluster& cluster, std::span<const dubbo::Url> providers) {
  return providers_that(providers, [&](const dubbo::Url& url) { return belongs_to(url, cluster); });
}

}  // namespace skiff::governance
