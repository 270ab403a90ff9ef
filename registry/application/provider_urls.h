#pragma once

#include <string>
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

// Both levels of an interface's providers. A provider with register-mode=all, Dubbo's default,
// stands in both: what has the address, group and version of one at interface level is left out,
// since that URL says more.
std::vector<dubbo::Url> merge_levels(std::vector<dubbo::Url> of_interface,
                                     std::vector<dubbo::Url> of_applications);

}  // namespace skiff::registry
