#include "governance/condition/condition_router.h"

#include <algorithm>
#include <array>
#include <utility>

#include "governance/condition/url_values.h"
#include "governance/rule_limits.h"

namespace skiff::governance {
namespace {

using Source = KeyCondition::Source;

// On the right side "$region" is the consumer's region.
void resolve_references(const dubbo::Url& consumer, std::vector<ValuePattern>& patterns) {
  UrlValues values;
  for (ValuePattern& pattern : patterns) {
    const auto key = pattern.reference();
    if (!key) continue;
    const auto found = values.of(consumer, *key);
    pattern = ValuePattern::of_reference(
        found.empty() ? std::nullopt : std::optional<std::string_view>(found.front()));
  }
}

ProviderSet providers_that_meet(KeyConditions then, const dubbo::Url& consumer,
                                std::span<const dubbo::Url> providers) {
  ProviderSet met = ProviderSet::none(providers.size());
  if (then.empty()) return met;
  for (KeyCondition& condition : then) {
    resolve_references(consumer, condition.wanted);
    resolve_references(consumer, condition.unwanted);
  }
  UrlValues values;
  constexpr std::array<std::string_view, 1> kNotFound = {};
  for (std::size_t i = 0; i < providers.size(); ++i) {
    const bool meets_all = std::ranges::all_of(then, [&](const KeyCondition& condition) {
      if (condition.source == Source::kNothing) {
        return condition.holds(kNotFound, ConditionSide::kThen);
      }
      return condition.holds(values.of(providers[i], condition.key), ConditionSide::kThen);
    });
    if (meets_all) met.add(i);
  }
  return met;
}

class ConditionRouter final : public Router {
 public:
  ConditionRouter(std::shared_ptr<const RoutingCondition> condition, const RuleScope& scope)
      : condition_(std::move(condition)) {
    const dubbo::Url consumer = consumer_url(scope);
    sort_when(consumer);
    if (!possible_) return;
    for (const auto& destination : condition_->destinations) {
      destinations_.push_back(
          destination.takes_all ? ProviderSet::all(scope.providers.size())
                                : providers_that_meet(destination.then, consumer, scope.providers));
    }
  }

  const std::string& name() const override { return condition_->name; }

  bool concerns(std::string_view method) const override {
    if (!possible_) return false;
    RequestView request;
    request.method = method;
    return std::ranges::all_of(of_method_,
                               [&](const KeyCondition* one) { return one->holds(request); });
  }

  bool reads_more_than_method() const override {
    return !of_request_.empty() || destinations_.size() > 1;
  }

  std::optional<AttachmentDemand> demand() const override {
    for (const KeyCondition* one : of_request_) {
      if (auto demand = one->demand()) return demand;
    }
    return std::nullopt;
  }

  Result apply(const RequestView& request, Draw& draw, ProviderSet& providers) const override {
    for (const KeyCondition* one : of_request_) {
      if (!one->holds(request)) return {};
    }
    if (destinations_.empty()) return {.outcome = Outcome::kRefused};
    return destinations_.size() == 1 ? go_to_only_one(providers) : go_to_one(draw, providers);
  }

 private:
  // What can be said of the consumer is said now, the rest when a request comes.
  void sort_when(const dubbo::Url& consumer) {
    UrlValues values;
    for (const KeyCondition& condition : condition_->when) {
      if (condition.source == Source::kParameter) {
        possible_ =
            possible_ && condition.holds(values.of(consumer, condition.key), ConditionSide::kWhen);
      } else if (condition.source == Source::kMethod) {
        of_method_.push_back(&condition);
      } else if (condition.source == Source::kNothing) {
        possible_ = possible_ && condition.holds(RequestView());
      } else {
        of_request_.push_back(&condition);
      }
    }
  }

  Result go_to_only_one(ProviderSet& providers) const {
    if (!destinations_.front().intersects(providers)) return {.outcome = outcome_of_nobody()};
    providers &= destinations_.front();
    return {.outcome = Outcome::kNarrowed};
  }

  // Destinations without a provider of those that are left do not take part in the draw.
  Result go_to_one(Draw& draw, ProviderSet& providers) const {
    std::array<std::uint32_t, kMaxConditionDestinations> weights{};
    std::size_t able = 0;
    std::size_t chosen = 0;
    for (std::size_t i = 0; i < destinations_.size(); ++i) {
      if (!destinations_[i].intersects(providers)) continue;
      weights[i] = condition_->destinations[i].weight;
      chosen = i;
      ++able;
    }
    if (able == 0) return {.outcome = outcome_of_nobody()};
    if (able > 1) chosen = draw.choose(std::span(weights.data(), destinations_.size()));
    providers &= destinations_[chosen];
    return {.outcome = Outcome::kNarrowed, .detail = condition_->destinations[chosen].detail};
  }

  Outcome outcome_of_nobody() const {
    return condition_->force ? Outcome::kRefused : Outcome::kIgnored;
  }

  std::shared_ptr<const RoutingCondition> condition_;
  bool possible_ = true;
  std::vector<const KeyCondition*> of_method_;   // in *condition_
  std::vector<const KeyCondition*> of_request_;  // in *condition_
  std::vector<ProviderSet> destinations_;        // as in *condition_
};

}  // namespace

std::shared_ptr<const Router> compile_condition(std::shared_ptr<const RoutingCondition> condition,
                                                const RuleScope& scope) {
  return std::make_shared<ConditionRouter>(std::move(condition), scope);
}

}  // namespace skiff::governance
