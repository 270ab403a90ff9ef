#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dubbo/url.h"
#include "governance/matching/address_match.h"
#include "governance/provider_set.h"

namespace skiff::governance {

// Finds the providers of a cluster by what rules may call them: "host", and "host:port" with the
// port that they are registered with or the one that they listen on.
class ProviderAddresses {
 public:
  // Refers to `providers`.
  explicit ProviderAddresses(std::span<const dubbo::Url> providers);

  std::span<const dubbo::Url> providers() const { return providers_; }
  void add_named(const std::string& address, ProviderSet& named) const;

 private:
  std::span<const dubbo::Url> providers_;
  std::vector<std::pair<std::string, std::size_t>> names_;  // sorted
};

// The `addresses` of a tag, as Dubbo's NetUtils.matchIpExpression reads them: "10.0.0.5",
// "10.0.0.5:20880", "[2001:db8::1]:20880", "0.0.0.0:20880" (this port of any host), "*",
// "10.0.*.*", "10.0.0.1-20:20880", "10.0.0.0/8". What is none of these names nobody. Immutable.
class TagAddresses {
 public:
  explicit TagAddresses(std::span<const std::string> texts);

  // How many must be compared with every provider, for kMaxRuleExpressions.
  std::size_t count_ranges() const { return ranges_.size() + ports_.size(); }
  void add_named(const ProviderAddresses& providers, ProviderSet& named) const;

 private:
  struct Range {
    AddressRange hosts;
    std::uint16_t port = 0;  // 0: any
  };

  void add(std::string_view text);
  bool has_in_range(const dubbo::Url& provider) const;

  bool all_ = false;
  std::vector<std::string> exact_;
  std::vector<std::uint16_t> ports_;  // of any host
  std::vector<Range> ranges_;
};

}  // namespace skiff::governance
