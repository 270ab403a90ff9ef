#include "forwarder/outbound/route_table.h"

#include <algorithm>
#include <utility>

#include "forwarder/limits.h"
#include "forwarder/outbound/upstream_pool.h"

namespace skiff::forwarder {
namespace {

constexpr std::string_view kOtherMethods = TrafficTable::kOther;

}  // namespace

MethodEntry& ServiceEntry::method(std::string_view name) {
  if (last_method_ != nullptr && last_method_->name == name) return *last_method_;
  if (name.size() > limits::kMethodNameMaxBytes) name = kOtherMethods;
  auto found = methods_.find(name);
  if (found == methods_.end() && methods_.size() >= limits::kMethodsPerServiceMax) {
    name = kOtherMethods;
    found = methods_.find(name);
  }
  if (found == methods_.end()) {
    MethodCells& counted = traffic_.method(traffic_.service(interface_), name);
    auto entry = std::make_unique<MethodEntry>(MethodEntry{this, std::string(name), &counted});
    found = methods_.emplace(std::string(name), std::move(entry)).first;
  }
  last_method_ = found->second.get();
  return *last_method_;
}

std::string ServiceEntry::known_clusters() const {
  std::string text;
  for (const ClusterState& cluster : clusters_) {
    if (!text.empty()) text += ", ";
    text += cluster.spec->version.empty() ? "no version" : "version " + cluster.spec->version;
    if (!cluster.spec->group.empty()) text += " group " + cluster.spec->group;
  }
  return text.empty() ? "none" : text;
}

RouteNote ServiceEntry::note_of(const ClusterState& cluster, const RouteChoice& choice) const {
  return {.route_number = route_count_,
          .cluster = static_cast<std::uint32_t>(&cluster - clusters_.data()),
          .left = choice.is_refused() ? 0 : static_cast<std::uint32_t>(choice.providers->count()),
          .narrowed_by = choice.narrowed_by};
}

std::string ServiceEntry::explain(const RouteNote& note, std::string_view method) const {
  const std::uint32_t age = route_count_ - note.route_number;
  const governance::ServiceRoute* route = age == 0 ? route_.get() : nullptr;
  if (age > 0 && age <= earlier_.size()) route = earlier_[earlier_.size() - age].get();
  if (route == nullptr) return "its route is not in force any more";
  const governance::Cluster& cluster = route->clusters[note.cluster];
  std::string text = "left " + std::to_string(note.left) + " of " +
                     std::to_string(cluster.providers.size()) + " providers";
  const char* separator = " by ";
  for (std::size_t i = 0; i < std::min(cluster.routers.size(), governance::kFirstSharedBit); ++i) {
    if ((note.narrowed_by & governance::router_bit(i)) == 0) continue;
    text += std::exchange(separator, ", ") + cluster.routers[i]->name();
  }
  if ((note.narrowed_by & governance::router_bit(governance::kFirstSharedBit)) != 0) {
    text += separator + std::string("one or more of the ") +
            std::to_string(cluster.routers.size() - governance::kFirstSharedBit) + " others";
  }
  const governance::Policy& policy = cluster.policy_of(method);
  text += "; cluster=" + std::string(governance::name_of(policy.mode));
  return text + " loadbalance=" + std::string(governance::name_of(policy.balance.kind));
}

void RouteTable::update(std::shared_ptr<const governance::ServiceRoute> route) {
  auto& entry = entries_[route->interface];
  if (!entry) entry = std::make_unique<ServiceEntry>(route->interface, traffic_);
  // The old clusters refer to the old route.
  const auto old_route = std::exchange(entry->route_, std::move(route));
  ++entry->route_count_;
  if (entry->in_flight > 0) entry->earlier_.push_back(old_route);
  if (entry->earlier_.size() > limits::kEarlierRoutesMax) {
    entry->earlier_.erase(entry->earlier_.begin());
  }
  entry->removed = false;
  if (entry->was_asked_for_) make_clusters(*entry);
}

// The new endpoints are taken before the old ones are released: those in both keep their
// connections.
void RouteTable::make_clusters(ServiceEntry& entry) {
  std::vector<ClusterState> clusters;
  for (const governance::Cluster& cluster : entry.route_->clusters) {
    std::vector<Endpoint*> endpoints;
    endpoints.reserve(cluster.providers.size());
    for (const governance::ProviderEndpoint& provider : cluster.providers) {
      endpoints.push_back(&upstreams_.acquire(provider.host, provider.port));
    }
    ClusterState& state = clusters.emplace_back(cluster, std::move(endpoints));
    for (ClusterState& before : entry.clusters_) {
      const bool is_same =
          before.spec->group == cluster.group && before.spec->version == cluster.version;
      if (is_same) state.sticky = std::move(before.sticky);
    }
  }
  release_endpoints(entry);
  entry.clusters_ = std::move(clusters);
}

void RouteTable::remove(const std::string& interface) {
  const auto found = entries_.find(interface);
  if (found == entries_.end()) return;
  ServiceEntry& entry = *found->second;
  last_found_ = nullptr;
  entry.removed = true;
  release_endpoints(entry);
  entry.route_.reset();
  collect(entry);
}

void RouteTable::collect(ServiceEntry& entry) {
  if (entry.in_flight == 0) entry.earlier_.clear();
  if (!entry.removed || entry.in_flight > 0) return;
  const std::string interface = entry.interface();
  entries_.erase(interface);
}

ServiceEntry* RouteTable::find(std::string_view interface) {
  if (last_found_ != nullptr && last_found_->interface() == interface) return last_found_;
  const auto found = entries_.find(interface);
  if (found == entries_.end() || found->second->removed) return nullptr;
  last_found_ = found->second.get();
  if (!std::exchange(last_found_->was_asked_for_, true)) make_clusters(*last_found_);
  return last_found_;
}

ServiceEntry* RouteTable::only_service() {
  ServiceEntry* only = nullptr;
  for (const auto& [interface, entry] : entries_) {
    if (entry->removed) continue;
    if (only != nullptr) return nullptr;
    only = entry.get();
  }
  const bool is_clear = only != nullptr && only->route_->clusters.size() == 1;
  return is_clear ? find(only->interface()) : nullptr;
}

void RouteTable::release_endpoints(ServiceEntry& entry) {
  for (const ClusterState& cluster : entry.clusters_) {
    for (Endpoint* endpoint : cluster.endpoints) upstreams_.release(*endpoint);
  }
  entry.clusters_.clear();
}

}  // namespace skiff::forwarder
