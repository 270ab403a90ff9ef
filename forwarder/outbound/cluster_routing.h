#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "forwarder/outbound/balancing/balancer.h"
#include "forwarder/outbound/route_memo.h"
#include "forwarder/text_map.h"
#include "governance/router_chain.h"
#include "governance/service_route.h"

namespace skiff::forwarder {

class Endpoint;

// Where a request of a cluster may go, and how. All of it lives until the next call of choose().
struct RouteChoice {
  Balancer* balancer = nullptr;  // over the providers that rules leave; null: refused
  const governance::ProviderSet* providers = nullptr;
  const governance::Policy* policy = nullptr;
  const governance::RoutePolicy* rule = nullptr;  // what a rule says instead of the policy; or null
  const governance::Router* refused_by = nullptr;
  std::string_view refusal = {};  // what it says of it
  std::uint64_t narrowed_by = 0;  // which of the cluster's routers (router_bit())

  bool is_refused() const { return refused_by != nullptr; }
};

// The rules of one cluster at work: for each method the routers that concern it, and for each set
// of providers that they leave the balancers over it. All of that is made when it is first asked
// for, and bounded; after that a request costs what it costs to look at what rules mention. Lives
// on its worker's thread.
class ClusterRouting {
 public:
  // Both must outlive it; `endpoints` are those of the cluster's providers.
  ClusterRouting(const governance::Cluster& cluster, std::span<Endpoint* const> endpoints)
      : cluster_(&cluster),
        endpoints_(endpoints),
        all_(governance::ProviderSet::all(cluster.providers.size())) {}

  RouteChoice choose(const governance::RequestView& request, governance::Draw& draw);
  // Any of these, whatever the rules say; lives as long as the ClusterRouting, or until choose() is
  // called.
  RouteChoice among(const governance::ProviderSet& providers);
  // The same as choose(), for people: `visit` hears of each router that was asked, with what is
  // left after it.
  using Visit = std::function<void(const governance::Router&, const governance::Router::Result&,
                                   const governance::ProviderSet& left)>;
  RouteChoice trace(const governance::RequestView& request, governance::Draw& draw,
                    const Visit& visit);

 private:
  // Of one method.
  struct Plan {
    std::string method;
    governance::RouterChain routers;
    const governance::Policy* policy = nullptr;
    std::optional<RouteChoice> choice;  // where no request differs from another, and it was made
    std::unique_ptr<RouteMemo<RouteChoice>> memo;  // where they do; null until one was remembered
  };
  struct Subset {
    governance::ProviderSet providers;
    // By the policy that they follow.
    std::vector<std::pair<const governance::BalancePolicy*, std::unique_ptr<Balancer>>> balancers;
  };
  struct Hash {
    std::size_t operator()(const governance::ProviderSet& set) const {
      return static_cast<std::size_t>(set.hash());
    }
  };

  Plan& plan_for(std::string_view method);
  RouteChoice walk_and_remember(Plan& plan, const governance::RequestView& request,
                                governance::Draw& draw);
  template <typename AnyVisit>
  RouteChoice walk(const Plan& plan, const governance::RequestView& request, governance::Draw& draw,
                   AnyVisit visit);
  Subset& subset_of(const governance::ProviderSet& providers);
  Balancer& balancer_of(Subset& subset, const governance::BalancePolicy& policy);
  std::vector<std::uint32_t> preferred_of(const governance::ProviderSet& providers) const;
  void keep_within_limits();

  const governance::Cluster* cluster_;
  std::span<Endpoint* const> endpoints_;
  governance::ProviderSet all_;
  TextMap<std::unique_ptr<Plan>> plans_;
  Plan* last_plan_ = nullptr;
  Plan passing_plan_;  // of the last method whose name is too long to be kept
  std::unordered_map<governance::ProviderSet, std::unique_ptr<Subset>, Hash> subsets_;
  Subset* last_subset_ = nullptr;
  Subset* everybody_ = nullptr;   // the one of all_
  governance::ProviderSet left_;  // by the rules, of the request in walk()
};

}  // namespace skiff::forwarder
