#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "governance/matching/text_match.h"
#include "governance/mesh/mesh_match.h"
#include "governance/router.h"

namespace skiff::governance {

// More in one document are refused: what a rule costs to compile grows with them and with the
// providers.
inline constexpr std::size_t kMaxMeshSubsets = 200;
inline constexpr std::size_t kMaxMeshRouteDetails = 1000;
inline constexpr std::size_t kMaxMeshDestinations = 64;  // of one entry of `routedetail`
inline constexpr std::size_t kMaxMeshFallbacks = 16;     // of one destination
inline constexpr std::int64_t kMaxMeshWeight = 1'000'000;

// Some providers of an application, of a DestinationRule: those whose URL has all labels as
// parameters. Several of one name add up.
struct MeshSubset {
  std::string name;
  std::map<std::string, std::string> labels;
};

// Where requests go: the first subset that has a provider left; the others are its fallbacks.
struct MeshDestination {
  std::vector<std::string> subsets;
  std::uint32_t weight = 1;
};

// An entry of `routedetail`. Requests that all of `matches` hold for go to one of `destinations`;
// where there are none, where they would go without the rule.
struct MeshRouteDetail {
  std::string name;  // for people, with the rule's
  std::vector<MeshMatch> matches;
  std::vector<MeshDestination> destinations;
};

// An entry of `dubbo` of a VirtualService: the routes of interfaces that one of `services` matches;
// of all where there are none.
struct MeshRoute {
  std::vector<TextMatch> services;
  std::vector<std::shared_ptr<const MeshRouteDetail>> details;
};

// What "<application>.MESHAPPRULE" says of the providers of `application`.
class MeshRule final : public RouterRule {
 public:
  std::string application;
  std::vector<MeshSubset> subsets;
  std::vector<MeshRoute> routes;  // the first that is for an interface counts

  void compile(const RuleScope& scope, Routers& out) const override;

 private:
  const MeshRoute* route_of(std::string_view interface) const;
};

}  // namespace skiff::governance
