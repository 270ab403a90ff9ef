#include "governance/mesh/mesh_rule.h"

#include <algorithm>
#include <functional>

#include "governance/mesh/mesh_router.h"

namespace skiff::governance {
namespace {

// Consumers that merge URLs as Dubbo's do put it elsewhere.
std::string_view application_that_provides(const dubbo::Url& url) {
  return url.parameter("remote.application", url.parameter("application"));
}

// One that no other rule has: not a small number, and another one for each application.
std::uint32_t group_of(std::string_view application) {
  constexpr std::uint32_t kLarge = 0x8000'0000;
  return static_cast<std::uint32_t>(std::hash<std::string_view>()(application)) | kLarge;
}

bool has_labels(const dubbo::Url& url, const MeshSubset& subset) {
  return std::ranges::all_of(subset.labels, [&url](const auto& label) {
    const auto found = url.parameters.find(label.first);
    return found != url.parameters.end() && found->second == label.second;
  });
}

CompiledSubset& subset_called(const std::string& name, std::size_t size, CompiledSubsets& subsets) {
  const auto found = std::ranges::find(subsets, name, &CompiledSubset::name);
  if (found != subsets.end()) return *found;
  return subsets.emplace_back(CompiledSubset{.name = name,
                                             .detail = "subset " + name,
                                             .members = ProviderSet::none(size),
                                             .others = ProviderSet::none(size)});
}

CompiledSubsets compile_subsets(const MeshRule& rule, const RuleScope& scope) {
  const std::size_t size = scope.providers.size();
  ProviderSet own = ProviderSet::none(size);
  for (std::size_t i = 0; i < size; ++i) {
    if (application_that_provides(scope.providers[i]) == rule.application) own.add(i);
  }
  CompiledSubsets subsets;
  for (const MeshSubset& subset : rule.subsets) {
    CompiledSubset& compiled = subset_called(subset.name, size, subsets);
    own.for_each([&](std::size_t i) {
      if (has_labels(scope.providers[i], subset)) compiled.members.add(i);
    });
  }
  std::erase_if(subsets, [](const CompiledSubset& subset) { return subset.members.empty(); });
  for (CompiledSubset& subset : subsets) {
    subset.others = own;
    subset.others -= subset.members;
  }
  return subsets;
}

}  // namespace

const MeshRoute* MeshRule::route_of(std::string_view interface) const {
  for (const MeshRoute& route : routes) {
    const bool is_meant = route.services.empty() ||
                          std::ranges::any_of(route.services, [interface](const TextMatch& one) {
                            return one.matches(interface);
                          });
    if (is_meant) return &route;
  }
  return nullptr;
}

void MeshRule::compile(const RuleScope& scope, Routers& out) const {
  const MeshRoute* route = route_of(scope.interface);
  if (route == nullptr) return;
  const auto compiled = std::make_shared<const CompiledSubsets>(compile_subsets(*this, scope));
  // Without any there is nowhere to go to; Dubbo then asks all providers.
  if (compiled->empty()) return;
  const std::uint32_t group = group_of(application);
  for (const auto& detail : route->details) {
    const bool is_from_here = std::ranges::all_of(
        detail->matches, [&scope](const MeshMatch& one) { return one.is_from(scope); });
    if (is_from_here) out.push_back(std::make_shared<MeshRouter>(detail, compiled, group));
  }
}

}  // namespace skiff::governance
