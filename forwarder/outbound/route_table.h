#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "forwarder/outbound/cluster_routing.h"
#include "forwarder/outbound/retry_budget.h"
#include "forwarder/outbound/route_note.h"
#include "forwarder/outbound/sticky_providers.h"
#include "forwarder/text_map.h"
#include "forwarder/traffic_table.h"
#include "governance/service_route.h"

namespace skiff::forwarder {

class Endpoint;
class UpstreamPool;
class ServiceEntry;

// One method of a service with a route; stays where it is while a request counts on it.
struct MethodEntry {
  ServiceEntry* service = nullptr;
  std::string name;
  MethodCells* traffic = nullptr;  // of the worker: it outlives the route
};

// The providers of one group and version, with this worker's connections to them.
struct ClusterState {
  ClusterState(const governance::Cluster& cluster, std::vector<Endpoint*> cluster_endpoints)
      : spec(&cluster), endpoints(std::move(cluster_endpoints)), routing(cluster, endpoints) {}

  const governance::Cluster* spec;
  std::vector<Endpoint*> endpoints;  // in the order of spec->providers
  ClusterRouting routing;
  StickyProviders sticky;
};

// What a worker knows of one interface. Most of what an agent knows is never called: endpoints are
// made when the first request asks for it. Lives on its worker's thread.
class ServiceEntry {
 public:
  // `traffic` must outlive it.
  ServiceEntry(std::string interface, TrafficTable& traffic)
      : interface_(std::move(interface)), traffic_(traffic) {}

  const std::string& interface() const { return interface_; }
  std::vector<ClusterState>& clusters() { return clusters_; }
  RouteNote note_of(const ClusterState& cluster, const RouteChoice& choice) const;
  // "left 2 of 5 providers by condition rule ...; cluster=failover loadbalance=random"; where
  // limits::kEarlierRoutesMax others have followed that one, that it is not in force any more.
  // `note` is of a request that was routed.
  std::string explain(const RouteNote& note, std::string_view method) const;
  // Null: none.
  const governance::FilterChain* filters() const { return route_->filters.get(); }

  RetryBudget& retry_budget() {
    if (!retry_budget_) retry_budget_ = std::make_unique<RetryBudget>();
    return *retry_budget_;
  }

  // The entry of `method`; that of "(other)" where there are too many methods.
  MethodEntry& method(std::string_view name);

  // "version 1.0.0 group g, version 2.0.0": what there are providers of, for error messages.
  std::string known_clusters() const;

  std::uint32_t in_flight = 0;  // requests whose slot points to a MethodEntry of this entry
  bool removed = false;         // without a route; goes when nothing is in flight

 private:
  friend class RouteTable;

  std::string interface_;
  TrafficTable& traffic_;
  std::shared_ptr<const governance::ServiceRoute> route_;
  std::uint32_t route_count_ = 0;  // so many, route_ included
  std::vector<std::shared_ptr<const governance::ServiceRoute>>
      earlier_;  // of requests in flight, the last ones
  bool was_asked_for_ = false;
  std::vector<ClusterState> clusters_;  // those of route_, once it was asked for
  TextMap<std::unique_ptr<MethodEntry>> methods_;
  MethodEntry* last_method_ = nullptr;
  std::unique_ptr<RetryBudget> retry_budget_;  // null until its first request
};

// The routes of one worker, by interface. Lives on its worker's thread.
class RouteTable {
 public:
  // Both must outlive it.
  RouteTable(UpstreamPool& upstreams, TrafficTable& traffic)
      : upstreams_(upstreams), traffic_(traffic) {}

  void update(std::shared_ptr<const governance::ServiceRoute> route);
  void remove(const std::string& interface);
  // Must be called when `entry.in_flight` falls to 0.
  void collect(ServiceEntry& entry);

  // For a request. nullptr where the interface has no route.
  ServiceEntry* find(std::string_view interface);
  // For a request: the service that has a route, where that is one only and has one cluster; else
  // nullptr.
  ServiceEntry* only_service();

  std::size_t size() const { return entries_.size(); }
  template <typename Visit>
  void for_each(Visit visit) const {
    for (const auto& [interface, entry] : entries_) visit(*entry);
  }

 private:
  void make_clusters(ServiceEntry& entry);
  void release_endpoints(ServiceEntry& entry);

  UpstreamPool& upstreams_;
  TrafficTable& traffic_;
  TextMap<std::unique_ptr<ServiceEntry>> entries_;
  ServiceEntry* last_found_ = nullptr;  // with a route
};

}  // namespace skiff::forwarder
