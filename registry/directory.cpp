#include "registry/directory.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

namespace skiff::registry {

void Directory::add_interest(RegistryLink& link, const std::string& interface) {
  Service& service = services_[interface];
  if (Listing* known = find(service, link)) {
    ++known->interested;
    return;
  }
  service.listings.push_back({.link = &link, .interested = 1, .providers = std::nullopt});
  link.registry().watch(interface);
}

void Directory::drop_interest(RegistryLink& link, const std::string& interface) {
  const auto found = services_.find(interface);
  Listing* listing = found == services_.end() ? nullptr : find(found->second, link);
  if (listing == nullptr || --listing->interested != 0) return;
  link.registry().unwatch(interface);
  Service& service = found->second;
  std::erase_if(service.listings, [&link](const Listing& one) { return one.link == &link; });
  if (!service.listings.empty()) {
    refresh(interface, service);
    return;
  }
  const bool was_reported = service.reported;
  services_.erase(found);
  if (was_reported) sink_.on_service_gone(interface);
}

bool Directory::has_interest(std::string_view interface) const {
  return services_.find(interface) != services_.end();
}

bool Directory::uses(const RegistryLink& link) const {
  return std::any_of(services_.begin(), services_.end(), [&link](const auto& entry) {
    const auto& listings = entry.second.listings;
    return std::any_of(listings.begin(), listings.end(),
                       [&link](const Listing& listing) { return listing.link == &link; });
  });
}

void Directory::set_providers(const RegistryLink& link, const std::string& interface,
                              const std::vector<dubbo::Url>& providers) {
  const auto found = services_.find(interface);
  Listing* listing = found == services_.end() ? nullptr : find(found->second, link);
  if (listing == nullptr) return;
  listing->providers = providers;
  refresh(interface, found->second);
}

void Directory::report_again(const std::string& interface) {
  const auto found = services_.find(interface);
  if (found != services_.end() && found->second.reported) {
    sink_.on_service(interface, found->second.merged);
  }
}

bool Directory::is_in_hand(const RegistryLink& link, std::string_view interface) const {
  const auto found = services_.find(interface);
  if (found == services_.end()) return false;
  const auto& listings = found->second.listings;
  return std::any_of(listings.begin(), listings.end(), [&link](const Listing& listing) {
    return listing.link == &link && listing.providers.has_value();
  });
}

const std::vector<dubbo::Url>& Directory::providers(std::string_view interface) const {
  static const std::vector<dubbo::Url> none;
  const auto found = services_.find(interface);
  return found == services_.end() ? none : found->second.merged;
}

std::optional<ServiceStatus> Directory::status(std::string_view interface) const {
  const auto found = services_.find(interface);
  if (found == services_.end()) return std::nullopt;
  return ServiceStatus{.interface = found->first,
                       .list_in_hand = all_in_hand(found->second),
                       .providers = found->second.merged};
}

Directory::Listing* Directory::find(Service& service, const RegistryLink& link) {
  const auto found =
      std::find_if(service.listings.begin(), service.listings.end(),
                   [&link](const Listing& listing) { return listing.link == &link; });
  return found == service.listings.end() ? nullptr : &*found;
}

bool Directory::all_in_hand(const Service& service) {
  return std::all_of(service.listings.begin(), service.listings.end(),
                     [](const Listing& listing) { return listing.providers.has_value(); });
}

std::vector<dubbo::Url> Directory::merge(const Service& service) {
  std::vector<dubbo::Url> merged;
  std::unordered_set<std::string> seen;
  for (const Listing& listing : service.listings) {
    if (!listing.providers) continue;
    for (const dubbo::Url& url : *listing.providers) {
      if (url.parameter("enabled") == "false") continue;
      if (seen.insert(url.to_string()).second) merged.push_back(url);
    }
  }
  return merged;
}

void Directory::refresh(const std::string& interface, Service& service) {
  std::vector<dubbo::Url> merged = merge(service);
  // "No provider" is a statement that needs every registry; a provider is one as soon as it is
  // listed anywhere.
  const bool is_known = service.reported || !merged.empty() || all_in_hand(service);
  if (!is_known || (service.reported && merged == service.merged)) return;
  service.merged = std::move(merged);
  service.reported = true;
  sink_.on_service(interface, service.merged);
}

}  // namespace skiff::registry
