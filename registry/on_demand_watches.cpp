#include "registry/on_demand_watches.h"

#include <spdlog/spdlog.h>

#include <utility>

#include "registry/limits.h"
#include "registry/provider_url.h"

namespace skiff::registry {

void OnDemandWatches::need(const std::string& interface, const std::vector<RegistryLink*>& links) {
  if (!is_interface_name(interface)) {
    spdlog::debug("a request names an interface of {} bytes that no service can be called",
                  interface.size());
    return;
  }
  if (const auto known = watches_.find(interface); known != watches_.end()) {
    known->second.asked_again = true;
  }
  if (directory_.has_interest(interface)) {
    directory_.report_again(interface);
    return;
  }
  if (watches_.size() >= kMaxOnDemandServices) {
    if (!std::exchange(said_full_, true)) {
      spdlog::warn(
          "{} services are watched on demand, which is the limit: {} is not; subscribe to "
          "services that must be found",
          watches_.size(), interface);
    }
    return;
  }
  watches_[interface].links = links;
  for (RegistryLink* link : links) directory_.add_interest(*link, interface);
  look_again_later(interface);
}

std::vector<SubscriptionStatus> OnDemandWatches::status() const {
  std::vector<SubscriptionStatus> result;
  for (const auto& [interface, watch] : watches_) {
    for (const RegistryLink* link : watch.links) {
      result.push_back({.service = {.interface = interface, .group = "*", .version = "*"},
                        .registry = link->status().name,
                        .list_in_hand = directory_.is_in_hand(*link, interface),
                        .reason = directory_.obstacle(*link, interface),
                        .on_demand = true,
                        .providers = directory_.providers(interface).size()});
    }
  }
  return result;
}

void OnDemandWatches::count(SubscriptionCounts& counts) const {
  for (const auto& [interface, watch] : watches_) {
    const std::size_t providers = directory_.providers(interface).size();
    for (const RegistryLink* link : watch.links) {
      counts.on_demand.count(directory_.is_in_hand(*link, interface));
      counts.providers += providers;
    }
  }
}

void OnDemandWatches::look_again_later(const std::string& interface) {
  executor_.post_after(kOnDemandExpiry,
                       alive_.guard([this, interface] { drop_if_unused(interface); }));
}

void OnDemandWatches::drop_if_unused(const std::string& interface) {
  const auto found = watches_.find(interface);
  const bool asked_again = std::exchange(found->second.asked_again, false);
  if (asked_again || !directory_.providers(interface).empty()) {
    look_again_later(interface);
    return;
  }
  const Watch watch = std::move(found->second);
  watches_.erase(found);
  said_full_ = false;
  for (RegistryLink* link : watch.links) directory_.drop_interest(*link, interface);
}

}  // namespace skiff::registry
