// How a request would be routed: the way of outbound.cpp, with every turn that it can take.
#include <algorithm>
#include <chrono>
#include <deque>
#include <utility>

#include "forwarder/explanation.h"
#include "forwarder/limits.h"
#include "forwarder/outbound/endpoint.h"
#include "forwarder/outbound/outbound.h"
#include "forwarder/outbound/path_explorer.h"

namespace skiff::forwarder {
namespace {

using governance::ProviderSet;
using governance::Router;

class GivenArguments final : public governance::ArgumentTexts {
 public:
  explicit GivenArguments(const std::vector<std::string>& texts) : texts_(texts) {}
  std::optional<std::string_view> text(std::size_t index) override {
    return index < texts_.size() ? std::optional<std::string_view>(texts_[index]) : std::nullopt;
  }

 private:
  const std::vector<std::string>& texts_;
};

// What rules will see of it once filters have changed its attachments. Nothing else is done.
class ExplainedRequest final : public governance::FilteredRequest {
 public:
  ExplainedRequest(const governance::RequestFacts& facts, governance::RequestView& view,
                   dubbo::Attachments& attachments, std::deque<std::string>& texts)
      : facts_(facts), view_(view), attachments_(attachments), texts_(texts) {}

  const governance::RequestFacts& facts() const override { return facts_; }
  std::uint64_t random() override { return 0; }
  void refuse(dubbo::Status /*status*/, const std::string& /*why*/) override {}
  bool delay(std::chrono::milliseconds /*time*/) override { return false; }
  void set_attachment(std::string_view key, std::string_view value) override {
    attachments_.remove(key);
    attachments_.add(key, texts_.emplace_back(value));
    view_.attachments_changed();
  }
  void remove_attachment(std::string_view key) override {
    attachments_.remove(key);
    view_.attachments_changed();
  }
  void mirror() override {}
  std::chrono::milliseconds timeout() const override { return {}; }
  std::string_view agent() const override { return {}; }
  std::uint32_t& note() override { return note_; }

 private:
  const governance::RequestFacts& facts_;
  governance::RequestView& view_;
  dubbo::Attachments& attachments_;
  std::deque<std::string>& texts_;
  std::uint32_t note_ = 0;
};

using governance::FilterEntry;
using governance::FilterPoint;

// Filters as they are asked: some see the request as it came, some change its attachments, the
// others see what became of it.
class FilterWalk {
 public:
  FilterWalk(const governance::FilterChain& chain, const ExplainRequest& asked,
             governance::RequestView& view, dubbo::Attachments& attachments,
             std::deque<std::string>& texts)
      : chain_(chain), view_(view), attachments_(attachments), texts_(texts) {
    facts_.interface = asked.interface;
    facts_.version = asked.version;
    facts_.method = asked.method;
  }

  // Of those that are for the request, in their order.
  std::vector<std::string> describe() {
    take_those([](const FilterEntry& entry) {
      return entry.filter->is_asked_at(FilterPoint::kReceive) ||
             entry.filter->is_asked_at(FilterPoint::kLog);
    });
    take_those([](const FilterEntry& entry) {
      return entry.filter->is_asked_at(FilterPoint::kBeforeRoute);
    });
    take_those([](const FilterEntry& entry) {
      return entry.filter->is_asked_at(FilterPoint::kAfterRoute) ||
             entry.filter->is_asked_at(FilterPoint::kSend);
    });
    std::vector<std::string> described;
    for (std::size_t i = 0; i < is_for_it_.size(); ++i) {
      if (is_for_it_[i]) described.push_back(chain_.entries()[i]->describe());
    }
    return described;
  }

 private:
  template <typename IsMeant>
  void take_those(IsMeant is_meant) {
    facts_.application = governance::application_of(attachments_);
    ExplainedRequest request(facts_, view_, attachments_, texts_);
    for (std::size_t i = 0; i < chain_.entries().size(); ++i) {
      const FilterEntry& entry = *chain_.entries()[i];
      if (!is_meant(entry) || !entry.matches(facts_, view_)) continue;
      is_for_it_[i] = true;
      if (entry.filter->is_asked_at(FilterPoint::kBeforeRoute)) entry.filter->on_request(request);
    }
  }

  const governance::FilterChain& chain_;
  governance::RequestView& view_;
  dubbo::Attachments& attachments_;
  std::deque<std::string>& texts_;  // of attachments that are set
  governance::RequestFacts facts_;
  std::vector<bool> is_for_it_ = std::vector<bool>(chain_.entries().size());
};

std::string name_of(Router::Outcome outcome) {
  switch (outcome) {
    case Router::Outcome::kNoMatch:
      return "no match";
    case Router::Outcome::kNarrowed:
      return "narrowed";
    case Router::Outcome::kIgnored:
      return "ignored: it would leave none, and does not insist";
    case Router::Outcome::kRefused:
      return "refused";
  }
  return "?";
}

std::vector<std::string> addresses_of(const ClusterState& cluster, const ProviderSet& providers) {
  std::vector<std::string> addresses;
  providers.for_each([&](std::size_t i) { addresses.push_back(cluster.endpoints[i]->address); });
  return addresses;
}

Explanation::Step describe(const ClusterState& cluster, const Router& router,
                           const Router::Result& result, const ProviderSet& left) {
  Explanation::Step step{.rule = router.name(),
                         .outcome = name_of(result.outcome),
                         .detail = std::string(result.detail)};
  if (result.outcome == Router::Outcome::kNarrowed) step.left = addresses_of(cluster, left);
  return step;
}

void describe_choice(const RouteChoice& choice, Explanation::Path& path) {
  if (choice.is_refused()) {
    path.refused = choice.refused_by->name();
    if (!choice.refusal.empty()) path.refused += ": " + std::string(choice.refusal);
    return;
  }
  const bool is_ruled = choice.rule != nullptr && choice.rule->balance;
  path.balancer =
      governance::name_of(is_ruled ? choice.rule->balance->kind : choice.policy->balance.kind);
  if (choice.rule == nullptr) return;
  path.policy_of_rule = choice.rule->source;
  path.rule_timeout = choice.rule->timeout;
  path.rule_retries = choice.rule->retries;
}

std::vector<Explanation::Provider> describe_providers(const ClusterState& cluster) {
  const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
  const auto now_ms = std::chrono::duration_cast<std::chrono::milliseconds>(since_epoch).count();
  std::vector<Explanation::Provider> providers;
  for (std::size_t i = 0; i < cluster.endpoints.size(); ++i) {
    providers.push_back(
        {.address = cluster.endpoints[i]->address,
         .state = cluster.endpoints[i]->describe(),
         .weight = governance::effective_weight(cluster.spec->providers[i], now_ms)});
  }
  return providers;
}

}  // namespace

Explanation Outbound::explain(const ExplainRequest& asked) {
  Explanation explanation;
  ServiceEntry* service = routes_.find(asked.interface);
  if (service == nullptr) {
    explanation.is_unknown = true;
    explanation.problem = "nobody has asked for " + asked.interface + " yet, or it has no provider";
    return explanation;
  }
  const auto cluster = std::ranges::find_if(service->clusters(), [&](const ClusterState& one) {
    return dubbo::version_matches(asked.version, one.spec->version) &&
           dubbo::group_matches(asked.group, one.spec->group);
  });
  if (cluster == service->clusters().end()) {
    explanation.problem = "no provider of " + asked.interface + " version '" + asked.version +
                          "' group '" + asked.group +
                          "' is registered; there are: " + service->known_clusters();
    return explanation;
  }
  explain_in(asked, service->filters(), *cluster, explanation);
  return explanation;
}

void Outbound::explain_in(const ExplainRequest& asked, const governance::FilterChain* filters,
                          ClusterState& cluster, Explanation& explanation) {
  dubbo::Attachments attachments;
  for (const auto& [key, value] : asked.attachments) attachments.add(key, value);
  std::deque<std::string> set_texts;
  GivenArguments arguments(asked.arguments);
  governance::RequestView request{
      .method = asked.method, .attachments = &attachments, .arguments = &arguments};
  if (filters != nullptr) {
    explanation.filters = FilterWalk(*filters, asked, request, attachments, set_texts).describe();
  }
  explanation.group = cluster.spec->group;
  explanation.version = cluster.spec->version;
  explanation.cluster_mode = governance::name_of(cluster.spec->policy_of(asked.method).mode);
  explanation.sticky = cluster.spec->policy_of(asked.method).sticky;
  explanation.providers = describe_providers(cluster);
  for (const auto& router : cluster.spec->routers) {
    if (!router->concerns(asked.method)) explanation.unconcerned.push_back(router->name());
  }
  PathExplorer explorer;
  std::size_t walked = 0;
  do {
    Explanation::Path path;
    const RouteChoice choice = cluster.routing.trace(
        request, explorer, [&](const Router& router, const auto& result, const ProviderSet& left) {
          path.steps.push_back(describe(cluster, router, result, left));
        });
    path.probability = explorer.probability();
    describe_choice(choice, path);
    if (!choice.is_refused()) {
      add_shares(cluster, choice, request, path.probability, explanation);
    }
    if (explanation.paths.size() < limits::kExplainedPathsMax) {
      explanation.paths.push_back(std::move(path));
    } else {
      explanation.has_more_paths = true;
    }
  } while (++walked < limits::kWalkedPathsMax && explorer.next());
}

// As choose_provider(): those in the best state that anybody is in.
void Outbound::add_shares(ClusterState& cluster, const RouteChoice& choice,
                          const governance::RequestView& request, double probability,
                          Explanation& explanation) {
  using Fitness = Endpoint::Fitness;
  if (choice.policy->mode == governance::ClusterMode::kBroadcast) {
    return choice.providers->for_each(
        [&](std::size_t i) { explanation.providers[i].probability += probability; });
  }
  const TimePoint now = context_.loop.now();
  const bool takes_failing = too_many_failing(cluster, *choice.providers);
  for (const Fitness worst :
       {Fitness::kGood, Fitness::kLeaving, Fitness::kFailing, Fitness::kUnreachable}) {
    const auto usable = [&](std::size_t i) {
      const Fitness fitness = cluster.endpoints[i]->fitness(now);
      return fitness <= worst || (fitness == Fitness::kFailing && takes_failing);
    };
    auto meant = pick_unbalanced(choice, request, cluster, usable);
    if (!meant && choice.balancer->is_decided_by(request)) {
      meant = choice.balancer->pick({.now = now, .random = context_.random, .request = &request},
                                    usable);
    }
    if (meant) {
      explanation.providers[*meant].probability += probability;
      return;
    }
    const std::vector<double> shares = choice.balancer->shares(now, usable);
    if (std::ranges::all_of(shares, [](double share) { return share == 0; })) continue;
    std::size_t member = 0;
    choice.providers->for_each([&](std::size_t i) {
      explanation.providers[i].probability += probability * shares[member++];
    });
    return;
  }
}

}  // namespace skiff::forwarder
