#include "registry/local_services.h"

#include <vector>

namespace skiff::registry {

void LocalServices::add(const PublicationId& id) {
  const bool is_new = !services_.contains(id);
  services_[id] = ++changes_;
  if (is_new) report();
}

void LocalServices::withdraw(const PublicationId& id) {
  const auto found = services_.find(id);
  if (found == services_.end()) return;
  const std::uint64_t change = ++changes_;
  found->second = change;
  executor_.post_after(kLocalServiceLinger, alive_.guard([this, id, change] {
    const auto still = services_.find(id);
    if (still == services_.end() || still->second != change) return;
    services_.erase(still);
    report();
  }));
}

void LocalServices::report() {
  std::vector<LocalService> services;
  services.reserve(services_.size());
  for (const auto& [id, change] : services_) services.push_back({id.service, id.port});
  sink_.on_local_services(services);
}

}  // namespace skiff::registry
