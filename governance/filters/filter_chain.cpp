#include "governance/filters/filter_chain.h"

#include <algorithm>
#include <utility>

#include "dubbo/check.h"
#include "governance/static_routes/virtual_host.h"

namespace skiff::governance {

bool FilterEntry::is_for(std::string_view interface) const {
  return services.empty() || std::ranges::any_of(services, [&](const std::string& domain) {
           return is_in_domain(interface, domain);
         });
}

bool FilterEntry::matches(const RequestFacts& facts, const RequestView& request) const {
  if (application) {
    const bool is_known = !facts.application.empty();
    if (!application->matches(is_known ? std::optional(facts.application) : std::nullopt)) {
      return false;
    }
  }
  return match.matches(request);
}

std::string FilterEntry::describe() const {
  return "filter " + name + " (" + kind + "): " + filter->describe();
}

bool are_alike(const FilterEntryPtr& a, const FilterEntryPtr& b) {
  if (a == b) return true;
  const StaticCluster* left = a->filter->mirror_target();
  const StaticCluster* right = b->filter->mirror_target();
  if ((left == nullptr) != (right == nullptr)) return false;
  return a->json == b->json && (left == nullptr || *left == *right);
}

FilterChain::FilterChain(std::vector<FilterEntryPtr> entries) : entries_(std::move(entries)) {
  check(entries_.size() <= kMaxFilters, "more filters than a request can note");
  for (std::size_t point = 0; point < kFilterPoints; ++point) {
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      if (!entries_[i]->filter->is_asked_at(static_cast<FilterPoint>(point))) continue;
      at_[point].push_back(static_cast<std::uint8_t>(i));
    }
  }
}

}  // namespace skiff::governance
