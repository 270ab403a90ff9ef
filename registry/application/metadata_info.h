#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "dubbo/result.h"

namespace skiff::registry {

// A service that all instances of one revision of an application export (Dubbo:
// MetadataInfo.ServiceInfo).
struct ServiceInfo {
  std::string interface;
  std::string group;
  std::string version;
  std::string protocol;
  std::uint16_t port = 0;  // 0: that of the instance
  std::string path;
  std::map<std::string, std::string, std::less<>> parameters;

  bool operator==(const ServiceInfo&) const = default;
  // "group/interface:version:protocol", absent parts left out (Dubbo: getMatchKey).
  std::string key() const;
};

// What one revision of an application exports by protocol dubbo (Dubbo: MetadataInfo).
class MetadataInfo {
 public:
  MetadataInfo() = default;
  // Leaves out what is of other protocols or has no interface, and services over 64 KiB, as URLs
  // may not be longer.
  explicit MetadataInfo(std::vector<ServiceInfo> services);

  // Sorted by interface.
  const std::vector<ServiceInfo>& services() const { return services_; }
  std::span<const ServiceInfo> services_of(std::string_view interface) const;
  // About what it takes in memory.
  std::size_t bytes() const { return bytes_; }

 private:
  std::vector<ServiceInfo> services_;
  std::size_t bytes_ = 0;
};

// Reads the JSON of /dubbo/metadata/<application>/<revision>:
//   {"app":"a","revision":"<md5>","services":{"group/interface:version:protocol":
//     {"name":"interface","group":"","version":"","protocol":"dubbo","port":20880,"path":"interface",
//      "params":{"methods":"sayHello",...}}}}
// Fails with kTooLarge over kMaxMetadataBytes or kMaxServicesOfApplication, with kMalformed where
// it is not such JSON, and with kInvalidArgument where it is of another revision than asked for.
Result<MetadataInfo> parse_metadata_json(std::string_view text, std::string_view revision);

// The revision of what an application exports, as Dubbo counts it: the MD5 of the application's
// name and of each service's key, port, path and parameters, in the order of the keys
// (MetadataInfo, calAndGetRevision). "0" where there are no services.
std::string metadata_revision(const std::string& application,
                              const std::vector<ServiceInfo>& services);
// The reverse of parse_metadata_json(). Of services that agree in all but port, path and parameters
// the last one is written.
std::string metadata_json(const std::string& application, const std::string& revision,
                          const std::vector<ServiceInfo>& services);

// The errors that both forms of metadata have in common.
tl::unexpected<Error> wrong_revision(std::string_view came, std::string_view expected);
tl::unexpected<Error> too_many_services(std::size_t came);

}  // namespace skiff::registry
