#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "governance/filters/filter.h"
#include "governance/static_routes/domains.h"
#include "governance/static_routes/route_match.h"
#include "governance/static_routes/text_matcher.h"

namespace skiff::governance {

// Of one interface; a request is noted in 32 bits.
inline constexpr std::size_t kMaxFilters = 32;

// A filter and the requests that it is for. Immutable: any thread may call.
struct FilterEntry {
  std::string name;
  std::string kind;                             // "fault"
  std::vector<std::string> services = {};       // interfaces: "a.Demo", "a.*", "*"; none: all
  RouteMatch match = {};                        // method and attachments
  std::optional<TextMatcher> application = {};  // of the caller
  FilterPtr filter;
  std::string json = {};  // as it was written, all values as texts

  bool is_for(std::string_view interface) const;
  bool matches(const RequestFacts& facts, const RequestView& request) const;
  // For people: "filter slow (fault): delays 10 % by 200ms".
  std::string describe() const;
};
using FilterEntryPtr = std::shared_ptr<const FilterEntry>;

// Whether both were written alike, and mean the same: what `cluster` names may be another one now.
bool are_alike(const FilterEntryPtr& a, const FilterEntryPtr& b);

// The filters of one interface, in the order in which they are asked. Immutable. A request that has
// to outlive its route keeps it, hence shared_from_this().
class FilterChain : public std::enable_shared_from_this<FilterChain> {
 public:
  // At most kMaxFilters, which the caller has checked.
  explicit FilterChain(std::vector<FilterEntryPtr> entries);

  const std::vector<FilterEntryPtr>& entries() const { return entries_; }
  // Indices of the entries that are asked there.
  std::span<const std::uint8_t> at(FilterPoint point) const {
    return at_[static_cast<std::size_t>(point)];
  }

 private:
  std::vector<FilterEntryPtr> entries_;
  std::array<std::vector<std::uint8_t>, kFilterPoints> at_;
};

}  // namespace skiff::governance
