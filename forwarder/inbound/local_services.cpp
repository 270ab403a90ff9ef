#include "forwarder/inbound/local_services.h"

#include <algorithm>
#include <iterator>

namespace skiff::forwarder {

void LocalServices::update(const std::vector<LocalServicePort>& services) {
  by_interface_.clear();
  why_down_.clear();
  leaving_ports_.clear();
  down_services_.clear();
  only_port_ = services.empty() ? default_port_ : services.front().port;
  for (const LocalServicePort& service : services) {
    if (service.port != only_port_) only_port_ = 0;
    auto& published = by_interface_[service.service.interface];
    auto same = std::ranges::find_if(published, [&](const Published& p) {
      return p.group == service.service.group && p.version == service.service.version;
    });
    if (same == published.end()) {
      published.push_back({service.service.group, service.service.version, {}, 0});
      same = std::prev(published.end());
    }
    same->ports.push_back({service.port, service.down});
    const auto [down, is_first] = why_down_.try_emplace(service.port, service.down);
    if (!is_first && service.down.empty()) down->second.clear();
  }
  only_port_down_ = why_down(only_port_);
  for (const LocalServicePort& service : services) {
    leaving_ports_.insert(service.port);
    down_services_.insert(service.service.to_string());
  }
  for (const LocalServicePort& service : services) {
    if (!service.down.empty() || service.leaving) continue;
    leaving_ports_.erase(service.port);
    down_services_.erase(service.service.to_string());
  }
}

std::vector<std::string> LocalServices::down_of(const std::vector<std::string>& services) const {
  std::vector<std::string> down;
  std::ranges::copy_if(services, std::back_inserter(down), [this](const std::string& service) {
    return down_services_.contains(service);
  });
  return down;
}

std::string_view LocalServices::why_down(std::uint16_t port) const {
  const auto found = why_down_.find(port);
  return found == why_down_.end() ? std::string_view() : found->second;
}

LocalServices::Destination LocalServices::destination_of(const Frame& request) {
  if (only_port_ != 0) return {only_port_, only_port_down_};
  Published* published = find(request);
  if (published == nullptr) return {default_port_, why_down(default_port_)};
  const std::size_t count = published->ports.size();
  const PublishedPort* chosen = nullptr;
  for (std::size_t i = 0; i < count; ++i) {
    chosen = &published->ports[published->next++ % count];
    if (chosen->down.empty()) break;
  }
  return {chosen->port, chosen->down};
}

LocalServices::Published* LocalServices::find(const Frame& request) {
  const dubbo::Serialization serialization = request.header.serialization;
  const auto head = reader_.read_head(serialization, request.body());
  if (!head) return nullptr;
  attachments_.clear();
  const bool readable =
      reader_.read_attachments(serialization, request.body(), *head, attachments_).has_value();
  auto found = by_interface_.find(head->path);
  if (found == by_interface_.end()) {
    found = by_interface_.find(dubbo::named_interface(*head, attachments_));
  }
  if (found == by_interface_.end()) return nullptr;
  const std::string_view version =
      dubbo::normalized_version(attachments_.find("version").value_or(head->version));
  const std::string_view group = attachments_.find("group").value_or("");
  for (Published& published : found->second) {
    if (published.version != version) continue;
    if (!readable || published.group == group) return &published;
  }
  return nullptr;
}

}  // namespace skiff::forwarder
