#pragma once

#include <span>
#include <string>
#include <vector>

#include "dubbo/url.h"
#include "governance/provider_set.h"
#include "governance/static_routes/virtual_host.h"

namespace skiff::governance {

// Parameters that static routes know their hosts by; registries have no say in them.
inline constexpr const char* kStaticClustersParameter = "skiff.in-clusters";  // "canary,stable"
// Of a static host that a registry lists, too: it is one of the registry's providers as well.
inline constexpr const char* kAlsoListedParameter = "skiff.listed";

// The hosts of a virtual host's clusters as providers of `interface`, each address once, with
// kStaticClustersParameter, `weight`, and the virtual host's group and version.
std::vector<dubbo::Url> static_providers(const VirtualHost& host, const std::string& interface);

// What a service's route is compiled from: what the registries list, and static_providers(); `host`
// may be null. A static host that a registry lists with the same group and version keeps the
// registry's URL, with its own weight. The registry's URLs lose the parameters above.
std::vector<dubbo::Url> with_static_providers(std::vector<dubbo::Url> listed,
                                              const VirtualHost* host,
                                              const std::string& interface);

// Whether it is one of the registry's providers.
bool is_listed_provider(const dubbo::Url& provider);
// Whether it is a host of the static cluster.
bool is_host_of(const dubbo::Url& provider, std::string_view cluster);

// Which of `providers` are the registry's, and which are those of the static cluster.
ProviderSet listed_providers(std::span<const dubbo::Url> providers);
ProviderSet providers_of(const StaticCluster& cluster, std::span<const dubbo::Url> providers);

}  // namespace skiff::governance
