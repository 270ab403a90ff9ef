#include "registry/application/provider_urls.h"

#include <set>
#include <tuple>
#include <utility>

#include "dubbo/service_key.h"

namespace skiff::registry {
namespace {

std::uint16_t port_of(const ServiceInstance& instance, const ServiceInfo& service) {
  if (service.port != 0) return service.port;
  return instance.dubbo_port != 0 ? instance.dubbo_port : instance.port;
}

using Identity = std::tuple<std::string, std::string, std::string>;

Identity identity_of(const dubbo::Url& url) {
  dubbo::ServiceKey key = url.service_key();
  return {url.address(), std::move(key.group), std::move(key.version)};
}

}  // namespace

dubbo::Url provider_url(const std::string& application, const ServiceInstance& instance,
                        const ServiceInfo& service) {
  dubbo::Url url;
  url.protocol = "dubbo";
  url.host = instance.host;
  url.port = port_of(instance, service);
  url.path = service.path.empty() ? service.interface : service.path;
  url.parameters = service.parameters;
  url.parameters.insert(instance.parameters.begin(), instance.parameters.end());
  const auto set = [&url](const char* key, const std::string& value) {
    if (value.empty()) {
      url.parameters.erase(key);
    } else {
      url.parameters.insert_or_assign(key, value);
    }
  };
  set("interface", service.interface);
  set("group", service.group);
  set("version", service.version);
  set("application", application);
  set("side", "provider");
  set("category", "providers");
  return url;
}

std::vector<dubbo::Url> merge_levels(std::vector<dubbo::Url> of_interface,
                                     std::vector<dubbo::Url> of_applications) {
  if (of_applications.empty()) return of_interface;
  std::set<Identity> known;
  for (const dubbo::Url& url : of_interface) known.insert(identity_of(url));
  for (dubbo::Url& url : of_applications) {
    if (known.insert(identity_of(url)).second) of_interface.push_back(std::move(url));
  }
  return of_interface;
}

}  // namespace skiff::registry
