#include "registry/application/application_texts.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

#include "registry/application/metadata_info.h"
#include "registry/application/provider_urls.h"
#include "registry/application/service_instance.h"

namespace skiff::registry {
namespace {

std::uint64_t timestamp_of(const dubbo::Url& url) {
  return url.number_parameter("timestamp", 0, std::numeric_limits<std::int64_t>::max());
}

std::vector<const dubbo::Url*> oldest_first(const ProviderUrls& providers) {
  std::vector<const dubbo::Url*> sorted;
  sorted.reserve(providers.size());
  for (const auto& [text, url] : providers) sorted.push_back(&url);
  std::stable_sort(sorted.begin(), sorted.end(), [](const auto* left, const auto* right) {
    return timestamp_of(*left) < timestamp_of(*right);
  });
  return sorted;
}

ServiceInstance instance_of(const std::vector<const dubbo::Url*>& oldest_first) {
  const dubbo::Url& oldest = *oldest_first.front();
  ServiceInstance instance{.host = oldest.host,
                           .port = oldest.port,
                           .dubbo_port = oldest.port,
                           .revision = {},
                           .storage = ServiceInstance::Storage::kRemote,
                           .metadata_port = oldest.port,
                           .parameters = {}};
  for (const dubbo::Url* url : oldest_first) {
    for (const auto& [key, value] : url->parameters) {
      if (is_instance_parameter(key)) instance.parameters.try_emplace(key, value);
    }
  }
  return instance;
}

}  // namespace

ApplicationTexts application_texts(const std::string& application, const ProviderUrls& providers) {
  const auto sorted = oldest_first(providers);
  std::vector<ServiceInfo> services;
  services.reserve(sorted.size());
  for (const dubbo::Url* url : sorted) services.push_back(service_of(*url));
  ServiceInstance instance = instance_of(sorted);
  instance.revision = metadata_revision(application, services);
  return {.revision = instance.revision,
          .metadata = metadata_json(application, instance.revision, services),
          .instance = service_instance_json(application, instance)};
}

}  // namespace skiff::registry
