#include "forwarder/outbound/cluster_routing.h"

#include <utility>

#include "forwarder/limits.h"

namespace skiff::forwarder {

using governance::BalancePolicy;
using governance::ProviderSet;
using governance::RequestView;
using governance::Router;

namespace {

std::vector<std::uint32_t> indices_of(const ProviderSet& providers) {
  std::vector<std::uint32_t> indices;
  indices.reserve(providers.count());
  providers.for_each([&](std::size_t i) { indices.push_back(static_cast<std::uint32_t>(i)); });
  return indices;
}

// A draw is something that an outcome depends on.
class NotingDraw final : public governance::Draw {
 public:
  NotingDraw(governance::Draw& draw, governance::AttachmentReads& reads)
      : draw_(draw), reads_(reads) {}
  std::size_t choose(std::span<const std::uint32_t> weights) override {
    reads_.note_other();
    return draw_.choose(weights);
  }

 private:
  governance::Draw& draw_;
  governance::AttachmentReads& reads_;
};

}  // namespace

// Those with a weight; none where most of them have none: that is how a zone is drained.
std::vector<std::uint32_t> ClusterRouting::preferred_of(const ProviderSet& providers) const {
  if (cluster_->preferred.size() == 0) return {};
  ProviderSet first = providers;
  std::vector<std::uint32_t> preferred = indices_of(first &= cluster_->preferred);
  const std::size_t all = preferred.size();
  std::erase_if(preferred, [this](std::uint32_t i) { return cluster_->providers[i].weight == 0; });
  if (preferred.size() * 100 < all * limits::kPreferredPercentMin) preferred.clear();
  return preferred;
}

template <typename AnyVisit>
RouteChoice ClusterRouting::walk(const Plan& plan, const RequestView& request,
                                 governance::Draw& draw, AnyVisit visit) {
  left_ = all_;
  const governance::ChainResult chain = plan.routers.apply(request, draw, left_, visit);
  RouteChoice choice{.policy = plan.policy, .rule = chain.policy};
  if (chain.refused_by != nullptr) {
    choice.refused_by = chain.refused_by;
    choice.refusal = chain.detail;
    return choice;
  }
  const bool is_ruled = chain.policy != nullptr && chain.policy->balance;
  const BalancePolicy& balance = is_ruled ? *chain.policy->balance : plan.policy->balance;
  if (everybody_ == nullptr) everybody_ = &subset_of(all_);
  Subset& subset = chain.narrowed_by == 0 ? *everybody_ : subset_of(left_);
  choice.providers = &subset.providers;
  choice.narrowed_by = chain.narrowed_by;
  choice.balancer = &balancer_of(subset, balance);
  return choice;
}

RouteChoice ClusterRouting::choose(const RequestView& request, governance::Draw& draw) {
  keep_within_limits();
  Plan& plan = plan_for(request.method);
  if (plan.choice) return *plan.choice;
  if (plan.routers.reads_more_than_method()) {
    const RouteChoice* known = plan.memo ? plan.memo->find(request) : nullptr;
    return known != nullptr ? *known : walk_and_remember(plan, request, draw);
  }
  plan.choice = walk(plan, request, draw, [](const auto&, const auto&, const auto&) {});
  return *plan.choice;
}

// What was drawn is not remembered: the next request has a draw of its own.
RouteChoice ClusterRouting::walk_and_remember(Plan& plan, const RequestView& request,
                                              governance::Draw& draw) {
  governance::AttachmentReads reads;
  NotingDraw noting(draw, reads);
  request.begin_noting(reads);
  const RouteChoice choice =
      walk(plan, request, noting, [](const auto&, const auto&, const auto&) {});
  request.end_noting();
  if (reads.is_all()) {
    if (!plan.memo) plan.memo = std::make_unique<RouteMemo<RouteChoice>>();
    plan.memo->remember(reads, choice);
  }
  return choice;
}

RouteChoice ClusterRouting::trace(const RequestView& request, governance::Draw& draw,
                                  const Visit& visit) {
  keep_within_limits();
  return walk(plan_for(request.method), request, draw, visit);
}

RouteChoice ClusterRouting::among(const ProviderSet& providers) {
  static const governance::Policy policy;
  Subset& subset = subset_of(providers);
  return {.balancer = &balancer_of(subset, policy.balance),
          .providers = &subset.providers,
          .policy = &policy};
}

// Plans refer to subsets: where there are too many of either, all begin anew.
void ClusterRouting::keep_within_limits() {
  if (plans_.size() < limits::kRoutePlansMax && subsets_.size() < limits::kSubsetsMax) return;
  plans_.clear();
  last_plan_ = nullptr;
  subsets_.clear();
  last_subset_ = nullptr;
  everybody_ = nullptr;
}

ClusterRouting::Plan& ClusterRouting::plan_for(std::string_view method) {
  if (last_plan_ != nullptr && last_plan_->method == method) return *last_plan_;
  if (const auto found = plans_.find(method); found != plans_.end()) {
    last_plan_ = found->second.get();
    return *last_plan_;
  }
  Plan plan;
  plan.policy = &cluster_->policy_of(method);
  plan.routers = governance::RouterChain(cluster_->routers, method);
  if (method.size() > limits::kMethodNameMaxBytes) {
    passing_plan_ = std::move(plan);
    return passing_plan_;
  }
  plan.method = method;
  last_plan_ = plans_.emplace(std::string(method), std::make_unique<Plan>(std::move(plan)))
                   .first->second.get();
  return *last_plan_;
}

ClusterRouting::Subset& ClusterRouting::subset_of(const ProviderSet& providers) {
  if (last_subset_ != nullptr && last_subset_->providers == providers) return *last_subset_;
  std::unique_ptr<Subset>& subset = subsets_[providers];
  if (subset == nullptr) {
    subset = std::make_unique<Subset>();
    subset->providers = providers;
  }
  last_subset_ = subset.get();
  return *last_subset_;
}

Balancer& ClusterRouting::balancer_of(Subset& subset, const BalancePolicy& policy) {
  for (const auto& [of, balancer] : subset.balancers) {
    if (of == &policy) return *balancer;
  }
  std::vector<std::uint32_t> members = indices_of(subset.providers);
  std::vector<std::uint32_t> preferred = preferred_of(subset.providers);
  subset.balancers.emplace_back(
      &policy, preferred.empty()
                   ? make_balancer(policy, cluster_->providers, endpoints_, std::move(members))
                   : make_balancer(policy, cluster_->providers, endpoints_, std::move(members),
                                   std::move(preferred), limits::kPreferredPercentMin));
  return *subset.balancers.back().second;
}

}  // namespace skiff::forwarder
