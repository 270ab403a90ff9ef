#include "registry/directory.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "registry/limits.h"

namespace skiff::registry {

void Directory::remember(const std::vector<SavedList>& lists) {
  std::size_t unreadable = 0;
  for (const SavedList& list : lists) {
    std::vector<dubbo::Url> urls;
    for (const std::string& text : list.providers) {
      if (auto url = dubbo::Url::parse_node_name(text)) {
        urls.push_back(std::move(*url));
      } else {
        ++unreadable;
      }
    }
    remembered_.insert_or_assign({list.registry, list.interface}, std::move(urls));
  }
  if (unreadable != 0) spdlog::warn("{} remembered providers cannot be read", unreadable);
  if (remembered_.empty()) return;
  executor_.post_after(kRememberedListExpiry, alive_.guard([this] { forget_remembered(); }));
}

std::vector<dubbo::Url> Directory::take_remembered(const RegistryLink& link,
                                                   const std::string& interface) {
  auto found = remembered_.extract({link.identity(), interface});
  return found.empty() ? std::vector<dubbo::Url>() : std::move(found.mapped());
}

void Directory::forget_remembered() {
  for (const auto& [key, urls] : remembered_) store_.on_list(key.first, key.second, {});
  remembered_.clear();
}

void Directory::add_interest(RegistryLink& link, const std::string& interface) {
  Service& service = services_[interface];
  if (Listing* known = find(service, link)) {
    ++known->interested;
    return;
  }
  service.listings.push_back({.link = &link,
                              .interested = 1,
                              .providers = std::nullopt,
                              .remembered = take_remembered(link, interface)});
  link.registry().watch(interface);
  if (!service.listings.back().remembered.empty()) refresh(interface, service);
}

void Directory::drop_interest(RegistryLink& link, const std::string& interface) {
  const auto found = services_.find(interface);
  Listing* listing = found == services_.end() ? nullptr : find(found->second, link);
  if (listing == nullptr || --listing->interested != 0) return;
  link.registry().unwatch(interface);
  store_.on_list(link.identity(), interface, {});
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
  listing->remembered.clear();
  store_.on_list(link.identity(), interface, providers);
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
    for (const dubbo::Url& url : listing.providers ? *listing.providers : listing.remembered) {
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
