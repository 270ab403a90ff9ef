#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "dubbo/url.h"
#include "registry/application/metadata_info.h"
#include "registry/application/service_instance.h"

namespace skiff::registry {

// The URL by which `instance` provides `service`, as it would stand among an interface's providers.
// Its port is the service's, else that of the endpoint for dubbo, else the instance's (Dubbo:
// ServiceInstancesChangedListener.getServiceUrlsCache); 0 where there is none. The service's
// parameters hide the instance's (InstanceAddressURL.getServiceParameter).
dubbo::Url provider_url(const std::string& application, const ServiceInstance& instance,
                        const ServiceInfo& service);

// The reverse: what the provider with a URL of an interface exports. What differs between machines
// and processes that export the same is left out, so that all have one revision (Dubbo:
// DefaultMetadataParamsFilter).
ServiceInfo service_of(const dubbo::Url& provider);
// What a provider's URL says of the instance, for all of its services: instance parameters.
bool is_instance_parameter(std::string_view key);

// Both levels of an interface's providers. A provider with register-mode=all, Dubbo's default,
// stands in both: what has the address, group and version of one at interface level is left out,
// since that URL says more.
std::vector<dubbo::Url> merge_levels(std::vector<dubbo::Url> of_interface,
                                     std::vector<dubbo::Url> of_applications);

}  // namespace skiff::registry
