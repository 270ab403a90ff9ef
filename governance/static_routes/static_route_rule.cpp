#include "governance/static_routes/static_route_rule.h"

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <utility>

#include "governance/static_routes/limits.h"
#include "governance/static_routes/static_providers.h"

namespace skiff::governance {
namespace {

using SharedSet = std::shared_ptr<const ProviderSet>;

struct Destination {
  SharedSet providers;
  std::uint32_t weight = 0;
  RoutePolicy policy;
  std::string detail;  // "cluster canary (10 of 100)"
};

bool says_something(const RoutePolicy& policy) {
  return policy.balance || policy.timeout || policy.retries;
}

// One entry of a virtual host.
class EntryRouter final : public Router {
 public:
  EntryRouter(VirtualHostPtr host, std::size_t index, std::string name,
              std::vector<Destination> destinations)
      : host_(std::move(host)),
        entry_(host_->routes[index]),
        name_(std::move(name)),
        destinations_(std::move(destinations)) {
    refusal_ = "no provider is left of";
    for (const Destination& one : destinations_) refusal_ += " " + one.detail;
  }

  const std::string& name() const override { return name_; }
  std::uint32_t group() const override { return kStaticRouteGroup; }
  bool concerns(std::string_view method) const override {
    return !entry_.match.method || entry_.match.method->matches(method);
  }
  bool reads_more_than_method() const override {
    return !entry_.match.attachments.empty() || destinations_.size() > 1;
  }
  std::optional<AttachmentDemand> demand() const override {
    for (const AttachmentMatcher& matcher : entry_.match.attachments) {
      const auto text = matcher.value.only_text();
      if (text) return AttachmentDemand{.key = matcher.name, .texts = {*text}};
    }
    return std::nullopt;
  }

  Result apply(const RequestView& request, Draw& draw, ProviderSet& providers) const override {
    if (!entry_.match.matches_attachments(request)) return {};
    const std::size_t chosen = choose(draw, providers);
    if (chosen == destinations_.size()) {
      return {.outcome = Outcome::kRefused, .policy = nullptr, .detail = refusal_};
    }
    const Destination& destination = destinations_[chosen];
    providers &= *destination.providers;
    return {.outcome = Outcome::kNarrowed,
            .policy = says_something(destination.policy) ? &destination.policy : nullptr,
            .detail = destination.detail};
  }

 private:
  // The index of a destination that has providers; destinations_.size() where none has.
  std::size_t choose(Draw& draw, const ProviderSet& providers) const {
    std::array<std::uint32_t, kMaxWeightedClusters> weights{};
    std::size_t eligible = 0;
    std::size_t last = 0;
    for (std::size_t i = 0; i < destinations_.size(); ++i) {
      const Destination& one = destinations_[i];
      if (one.weight == 0 || !one.providers->intersects(providers)) continue;
      weights[i] = one.weight;
      ++eligible;
      last = i;
    }
    if (eligible == 0) return destinations_.size();
    if (eligible == 1) return last;
    return draw.choose(std::span(weights).first(destinations_.size()));
  }

  const VirtualHostPtr host_;
  const RouteEntry& entry_;  // of the host
  const std::string name_;
  const std::vector<Destination> destinations_;
  std::string refusal_;
};

// For requests that no entry matches.
class UnmatchedRouter final : public Router {
 public:
  UnmatchedRouter(const VirtualHost& host, ProviderSet listed)
      : name_("static route " + host.name + ", no entry matches"), listed_(std::move(listed)) {}

  const std::string& name() const override { return name_; }
  std::uint32_t group() const override { return kStaticRouteGroup; }
  bool concerns(std::string_view /*method*/) const override { return true; }
  bool reads_more_than_method() const override { return false; }

  Result apply(const RequestView& /*request*/, Draw& /*draw*/,
               ProviderSet& providers) const override {
    if (!listed_.intersects(providers)) {
      return {.outcome = Outcome::kRefused,
              .policy = nullptr,
              .detail = "no entry matches, and no provider of the registry is left"};
    }
    providers &= listed_;
    return {.outcome = Outcome::kNarrowed, .policy = nullptr, .detail = "the registry's providers"};
  }

 private:
  const std::string name_;
  const ProviderSet listed_;
};

std::string said(const RouteMatch& match) {
  std::string text;
  if (match.method) text = "method " + match.method->to_string();
  for (const AttachmentMatcher& one : match.attachments) {
    text +=
        (text.empty() ? "attachment " : ", attachment ") + one.name + " " + one.value.to_string();
  }
  return text.empty() ? "every request" : text;
}

class StaticRouteRule final : public RouterRule {
 public:
  explicit StaticRouteRule(VirtualHostPtr host) : host_(std::move(host)) {}

  void compile(const RuleScope& scope, Routers& out) const override {
    std::map<std::string, SharedSet> sets;
    for (const StaticCluster& cluster : host_->clusters) {
      sets[cluster.name] =
          std::make_shared<const ProviderSet>(providers_of(cluster, scope.providers));
    }
    for (std::size_t i = 0; i < host_->routes.size(); ++i) {
      out.push_back(std::make_shared<EntryRouter>(host_, i, name_of(i), destinations_of(i, sets)));
    }
    ProviderSet listed = listed_providers(scope.providers);
    if (listed.count() == scope.providers.size()) return;  // it would leave nobody out
    out.push_back(std::make_shared<UnmatchedRouter>(*host_, std::move(listed)));
  }

 private:
  std::string name_of(std::size_t index) const {
    const RouteEntry& entry = host_->routes[index];
    std::string name = "static route " + host_->name + ", " + host_->entry_title(index) + ": " +
                       said(entry.match) + " =>";
    for (const WeightedCluster& one : entry.clusters) {
      name += " " + one.name + (entry.clusters.size() > 1 ? " " + std::to_string(one.weight) : "");
    }
    return name;
  }

  std::vector<Destination> destinations_of(std::size_t index,
                                           const std::map<std::string, SharedSet>& sets) const {
    const RouteEntry& entry = host_->routes[index];
    std::vector<Destination> destinations;
    for (const WeightedCluster& one : entry.clusters) {
      Destination& added = destinations.emplace_back();
      added.providers = sets.at(one.name);
      added.weight = one.weight;
      added.detail = "cluster " + one.name;
      if (entry.clusters.size() > 1) {
        added.detail +=
            " (" + std::to_string(one.weight) + " of " + std::to_string(kWeightSum) + ")";
      }
      added.policy.source = "route " + host_->name + ", " + host_->entry_title(index);
      if (const auto balance = host_->cluster(one.name)->balance) {
        added.policy.balance = BalancePolicy{.kind = *balance};
      }
      added.policy.timeout = entry.timeout;
      added.policy.retries = entry.retries;
    }
    return destinations;
  }

  const VirtualHostPtr host_;
};

}  // namespace

RouterRulePtr static_route_rule(VirtualHostPtr host) {
  return std::make_shared<StaticRouteRule>(std::move(host));
}

}  // namespace skiff::governance
