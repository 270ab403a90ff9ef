#pragma once

#include <functional>
#include <string>

#include "dubbo/result.h"
#include "registry/application/metadata_info.h"

namespace skiff::registry {

// A call of an instance's MetadataService by protocol dubbo.
struct MetadataCall {
  std::string address;      // host:port or [host]:port, numeric
  std::string application;  // the service's group
  std::string version;      // of the service
  std::string revision;     // asked for
};

// Asks instances which services they export. Lives on the control thread.
class MetadataCaller {
 public:
  using Callback = std::function<void(Result<MetadataInfo>)>;

  virtual ~MetadataCaller() = default;
  // `done` runs on the control thread, once, never inside this call; not at all where the caller or
  // the executor ends before.
  virtual void call(MetadataCall call, Callback done) = 0;
};

}  // namespace skiff::registry
