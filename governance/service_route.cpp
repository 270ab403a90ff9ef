#include "governance/service_route.h"

#include <algorithm>

namespace skiff::governance {

const Policy& Cluster::policy_of(std::string_view method) const {
  static const Policies defaults;
  return (policies ? *policies : defaults).of(method);
}

Retries retries_of(const Cluster& cluster, const ProviderEndpoint& provider,
                   std::optional<std::string_view> method) {
  Retries retries{
      .count = provider.retries.value_or(cluster.providers.size() > 1 ? kDefaultRetries : 0),
      .elsewhere_only = !provider.retries};
  if (method) {
    const MethodSettings* own = provider.settings_of(*method);
    if (own != nullptr && own->retries) retries = {.count = *own->retries};
    return retries;
  }
  for (const MethodSettings& one : provider.methods) {
    retries.count = std::min(retries.count, one.retries.value_or(retries.count));
  }
  return retries;
}

}  // namespace skiff::governance
