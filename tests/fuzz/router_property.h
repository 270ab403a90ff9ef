#pragma once

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "dubbo/request.h"
#include "governance/router_rules.h"
#include "property.h"
#include "tests/unit/governance/plain_walk.h"

// What must hold of every router, whatever rule it was compiled from.
namespace skiff::governance {

// Takes the destinations in turn.
class TakesTurns : public Draw {
 public:
  std::size_t choose(std::span<const std::uint32_t> weights) override {
    for (std::size_t i = 0; i < weights.size(); ++i) {
      const std::size_t at = (next_ + i) % weights.size();
      if (weights[at] == 0) continue;
      next_ = at + 1;
      return at;
    }
    SKIFF_PROPERTY(false);  // one weight at least is not 0
    return 0;
  }

 private:
  std::size_t next_ = 0;
};

class OneArgument : public ArgumentTexts {
 public:
  std::optional<std::string_view> text(std::size_t index) override {
    return index == 0 ? std::optional<std::string_view>("7") : std::nullopt;
  }
};

inline void check_step(const WalkStep& step, const ProviderSet& before) {
  SKIFF_PROPERTY(step.left.size() == before.size());
  ProviderSet both = before;
  both &= step.left;
  SKIFF_PROPERTY(both == step.left);
  if (step.outcome == Router::Outcome::kNarrowed) {
    SKIFF_PROPERTY(!step.left.empty());
  } else {
    SKIFF_PROPERTY(step.left == before);
  }
  SKIFF_PROPERTY(!step.router->name().empty());
}

// Compiles `rule`, which may be null, against a few providers and sends a few requests through.
inline void check_rule(const RouterRulePtr& rule) {
  if (rule == nullptr) return;
  const std::vector<dubbo::Url> providers = {
      dubbo::Url::parse("dubbo://10.0.0.1:20880/a.Demo?application=demo&zone=a").value(),
      dubbo::Url::parse("dubbo://10.0.0.2:20882/a.Demo?application=demo&skiff.port=20880").value(),
      dubbo::Url::parse("dubbo://10.0.0.3:20880/a.Demo?application=demo&dubbo.tag=gray").value(),
      dubbo::Url::parse("dubbo://[2001:db8::1]:20880/a.Demo?application=demo&zone=").value()};
  const dubbo::ConsumerIdentity consumer = {
      .application = "shop", .host = "10.0.0.9", .parameters = {{"zone", "a"}}};
  Routers routers;
  rule->compile({.interface = "a.Demo",
                 .group = "",
                 .version = "",
                 .providers = providers,
                 .consumer = consumer},
                routers);
  TakesTurns draw;
  OneArgument argument;
  std::array<dubbo::Attachments, 3> attachments;
  attachments[1].add("dubbo.tag", "gray");
  attachments[2].add("dubbo.tag", "a|b|c");
  attachments[2].add("dubbo.force.tag", "true");
  attachments[2].add("user", "7");
  for (const dubbo::Attachments& sent : attachments) {
    RequestView request;
    request.method = sent.size() == 1 ? "get" : "findOne";
    request.attachments = &sent;
    request.arguments = sent.size() == 0 ? nullptr : &argument;
    TakesTurns same_draw = draw;
    const Walk walk = walk_by_chain(routers, request, draw, providers.size());
    SKIFF_PROPERTY(walk == walk_plainly(routers, request, same_draw, providers.size()));
    ProviderSet before = ProviderSet::all(providers.size());
    for (const WalkStep& step : walk) {
      check_step(step, before);
      if (!step.router->reads_more_than_method()) {
        ProviderSet again = before;
        SKIFF_PROPERTY(step.router->apply(request, draw, again).outcome == step.outcome);
        SKIFF_PROPERTY(again == step.left);
      }
      before = step.left;
    }
  }
}

}  // namespace skiff::governance
