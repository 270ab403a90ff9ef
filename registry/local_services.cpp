#include "registry/local_services.h"

#include <utility>
#include <vector>

namespace skiff::registry {

void LocalServices::add(const PublicationId& id) {
  const bool is_new = !services_.contains(id);
  services_[id].last_change = ++changes_;
  if (is_new) report_later();
}

void LocalServices::set_down(const PublicationId& id, const std::string& why) {
  const auto found = services_.find(id);
  if (found == services_.end() || found->second.down == why) return;
  found->second.down = why;
  report_later();
}

void LocalServices::withdraw(const PublicationId& id) {
  const auto found = services_.find(id);
  if (found == services_.end()) return;
  const std::uint64_t change = ++changes_;
  found->second.last_change = change;
  executor_.post_after(kLocalServiceLinger, alive_.guard([this, id, change] {
    const auto still = services_.find(id);
    if (still == services_.end() || still->second.last_change != change) return;
    services_.erase(still);
    report_later();
  }));
}

void LocalServices::set_leaving(const PublicationId& id, bool leaving) {
  const auto found = services_.find(id);
  if (found == services_.end() || found->second.leaving == leaving) return;
  found->second.leaving = leaving;
  report_later();
}

// A thousand publications may share a provider, and change with it.
void LocalServices::report_later() {
  if (std::exchange(will_report_, true)) return;
  executor_.post(alive_.guard([this] {
    will_report_ = false;
    std::vector<LocalService> services;
    services.reserve(services_.size());
    for (const auto& [id, entry] : services_) {
      services.push_back({id.service, id.port, entry.down, entry.leaving});
    }
    sink_.on_local_services(services);
  }));
}

}  // namespace skiff::registry
