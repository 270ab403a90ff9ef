#include "registry/application/provider_urls.h"

#include <algorithm>
#include <array>
#include <set>
#include <tuple>
#include <utility>

#include "dubbo/service_key.h"
#include "registry/weight_steps.h"

namespace skiff::registry {
namespace {

std::uint16_t port_of(const ServiceInstance& instance, const ServiceInfo& service) {
  if (service.port != 0) return service.port;
  return instance.dubbo_port != 0 ? instance.dubbo_port : instance.port;
}

// Of a process or machine, and of no interest to consumers.
bool is_left_out(std::string_view key) {
  static constexpr std::array<std::string_view, 10> kLeftOut = {
      "bind.ip",    "bind.port", "interfaces", "monitor",
      "pid",        "qos.host",  "qos.port",   "qos.accept.foreign.ip",
      "qos.enable", "validation"};
  return std::find(kLeftOut.begin(), kLeftOut.end(), key) != kLeftOut.end();
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

ServiceInfo service_of(const dubbo::Url& provider) {
  dubbo::ServiceKey key = provider.service_key();
  ServiceInfo service{.interface = std::move(key.interface),
                      .group = std::move(key.group),
                      .version = std::move(key.version),
                      .protocol = provider.protocol,
                      .port = provider.port,
                      .path = provider.path,
                      .parameters = whole_of(provider).parameters};
  std::erase_if(service.parameters, [](const auto& parameter) {
    return is_left_out(parameter.first) || is_instance_parameter(parameter.first);
  });
  return service;
}

bool is_instance_parameter(std::string_view key) {
  return key == "timestamp" || key == "heartbeat.timeout" || key == "ipv6";
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
