#include "governance/mesh/mesh_router.h"

#include <algorithm>
#include <utility>

namespace skiff::governance {

MeshRouter::MeshRouter(std::shared_ptr<const MeshRouteDetail> detail,
                       std::shared_ptr<const CompiledSubsets> subsets, std::uint32_t group)
    : detail_(std::move(detail)), subsets_(std::move(subsets)), group_(group) {
  for (const MeshDestination& destination : detail_->destinations) {
    SubsetsToTry& to_try = destinations_.emplace_back();
    for (const std::string& name : destination.subsets) {
      const auto found = std::ranges::find(*subsets_, name, &CompiledSubset::name);
      if (found == subsets_->end()) continue;
      to_try.push_back(static_cast<std::size_t>(found - subsets_->begin()));
    }
    weights_.push_back(destination.weight);
  }
}

bool MeshRouter::concerns(std::string_view method) const {
  return std::ranges::all_of(detail_->matches,
                             [method](const MeshMatch& one) { return one.is_method(method); });
}

bool MeshRouter::reads_more_than_method() const {
  return destinations_.size() > 1 ||
         std::ranges::any_of(detail_->matches, &MeshMatch::reads_more_than_method);
}

std::optional<AttachmentDemand> MeshRouter::demand() const {
  for (const MeshMatch& one : detail_->matches) {
    if (auto demand = one.demand()) return demand;
  }
  return std::nullopt;
}

Router::Result MeshRouter::apply(const RequestView& request, Draw& draw,
                                 ProviderSet& providers) const {
  const bool matches = std::ranges::all_of(
      detail_->matches, [&request](const MeshMatch& one) { return one.matches(request); });
  if (!matches) return {.outcome = Outcome::kNoMatch};
  const std::size_t count = destinations_.size();
  const std::size_t drawn = count > 1 ? draw.choose(weights_) : 0;
  // Where nothing is left of the one that is drawn, those that follow it are asked, then the first
  // ones.
  for (std::size_t i = 0; i < count; ++i) {
    const CompiledSubset* subset = first_left(destinations_[(drawn + i) % count], providers);
    if (subset == nullptr) continue;
    providers -= subset->others;
    return {.outcome = Outcome::kNarrowed, .policy = nullptr, .detail = subset->detail};
  }
  return {.outcome = Outcome::kIgnored};
}

const CompiledSubset* MeshRouter::first_left(const SubsetsToTry& to_try,
                                             const ProviderSet& providers) const {
  for (const std::size_t index : to_try) {
    const CompiledSubset& subset = (*subsets_)[index];
    if (providers.intersects(subset.members)) return &subset;
  }
  return nullptr;
}

}  // namespace skiff::governance
