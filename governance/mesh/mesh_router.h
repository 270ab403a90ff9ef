#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "governance/mesh/mesh_rule.h"
#include "governance/router.h"

namespace skiff::governance {

// A subset of an application's providers in one cluster; not empty.
struct CompiledSubset {
  std::string name;
  std::string detail;  // for people: "subset gray"
  ProviderSet members;
  ProviderSet others;  // of the application
};
using CompiledSubsets = std::vector<CompiledSubset>;

// One entry of `routedetail`, for one cluster. It narrows the providers of its own application, and
// leaves those of others as they are.
class MeshRouter final : public Router {
 public:
  MeshRouter(std::shared_ptr<const MeshRouteDetail> detail,
             std::shared_ptr<const CompiledSubsets> subsets, std::uint32_t group);

  const std::string& name() const override { return detail_->name; }
  std::uint32_t group() const override { return group_; }
  bool concerns(std::string_view method) const override;
  bool reads_more_than_method() const override;
  std::optional<AttachmentDemand> demand() const override;
  Result apply(const RequestView& request, Draw& draw, ProviderSet& providers) const override;

 private:
  // In the order in which they are tried; by index.
  using SubsetsToTry = std::vector<std::size_t>;
  const CompiledSubset* first_left(const SubsetsToTry& to_try, const ProviderSet& providers) const;

  std::shared_ptr<const MeshRouteDetail> detail_;
  std::shared_ptr<const CompiledSubsets> subsets_;
  std::vector<SubsetsToTry> destinations_;
  std::vector<std::uint32_t> weights_;  // of destinations_
  std::uint32_t group_;
};

}  // namespace skiff::governance
