#include "registry/host_resolver.h"

#include <utility>

#include "registry/advertise_address.h"

namespace skiff::registry {

void HostResolver::resolve(const std::string& host, Callback done) {
  if (!thread_) thread_.emplace("skiff-resolver");
  thread_->post([this, host, done = std::move(done)] {
    executor_.post([done, address = resolve_host(host)] { done(address); });
  });
}

}  // namespace skiff::registry
