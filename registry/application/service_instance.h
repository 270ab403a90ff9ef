#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "dubbo/result.h"

namespace skiff::registry {

// An instance of an application, as Dubbo 3 writes it to /services/<application>/<ip:port>: the
// JSON of Curator's ServiceInstance, its payload with Dubbo's metadata (ZookeeperInstance,
// CuratorFrameworkUtils.build; the keys are those of ServiceInstanceMetadataUtils).
struct ServiceInstance {
  static constexpr std::string_view kMetadataServiceVersion = "1.0.0";

  // Where the list of its services is: in the metadata centre, or with the instance itself.
  enum class Storage { kRemote, kLocal };

  std::string host;                   // as written: an address, or a name
  std::uint16_t port = 0;             // 0: none
  std::uint16_t dubbo_port = 0;       // of "dubbo.endpoints", for protocol dubbo; 0: none
  std::string revision;               // of its services; "": it has none
  Storage storage = Storage::kLocal;  // Dubbo's default
  // Of the MetadataService; the port is 0 where it is not to be reached by protocol dubbo.
  std::uint16_t metadata_port = 0;
  std::string metadata_version{kMetadataServiceVersion};
  // What else the instance says, for all of its services: timestamp, weight, ...
  std::map<std::string, std::string, std::less<>> parameters;

  // The name of its node: "ip:port" (CuratorFrameworkUtils.generateId).
  static std::string node_name(const std::string& host, std::uint16_t port) {
    return host + ':' + std::to_string(port);
  }
  bool operator==(const ServiceInstance&) const = default;
};

// Fails with kTooLarge over kMaxInstanceBytes, with kMalformed where it is not such JSON or has no
// host.
Result<ServiceInstance> parse_service_instance(std::string_view text);

// The reverse, for an instance without a MetadataService of its own. The same instance makes the
// same text: its registration time is its timestamp.
std::string service_instance_json(const std::string& application, const ServiceInstance& instance);

}  // namespace skiff::registry
