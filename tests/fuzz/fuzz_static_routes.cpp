// Input: the text of a virtual host; behind a NUL, if there is one, a request: its method, a NUL,
// and the value of each attachment.

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>

#include "dubbo/request.h"
#include "governance/static_routes/static_providers.h"
#include "governance/static_routes/static_route_rule.h"
#include "governance/static_routes/static_routes.h"
#include "property.h"
#include "tests/unit/governance/plain_walk.h"

namespace skiff::governance {
namespace {

class LastDraw final : public Draw {
 public:
  std::size_t choose(std::span<const std::uint32_t> weights) override {
    std::size_t last = weights.size();
    for (std::size_t i = 0; i < weights.size(); ++i) {
      if (weights[i] > 0) last = i;
    }
    SKIFF_PROPERTY(last < weights.size());
    return last;
  }
};

std::string_view take_until_nul(std::string_view& text) {
  const std::string_view part = text.substr(0, text.find('\0'));
  text.remove_prefix(std::min(part.size() + 1, text.size()));
  return part;
}

// A request that has every attachment which the entries look at.
void route(const VirtualHost& host, const Routers& routers, std::size_t providers,
           std::string_view method, std::string_view value) {
  dubbo::Attachments attachments;
  for (const RouteEntry& entry : host.routes) {
    for (const AttachmentMatcher& one : entry.match.attachments) attachments.add(one.name, value);
  }
  const RequestView request{.method = method, .attachments = &attachments, .arguments = nullptr};
  for (const FilterEntryPtr& filter : host.filters) {
    SKIFF_PROPERTY(!filter->describe().empty());
    RequestFacts facts;
    facts.method = method;
    facts.application = value;
    SKIFF_PROPERTY(filter->matches(facts, request) == filter->matches(facts, request));
  }
  const ProviderSet all = ProviderSet::all(providers);
  LastDraw draw;
  // Each on its own: none is left out for another one of its group.
  for (const auto& router : routers) {
    SKIFF_PROPERTY(router->group() != 0);
    const Walk walk = walk_by_chain({router}, request, draw, providers);
    SKIFF_PROPERTY(walk == walk_plainly({router}, request, draw, providers));
    for (const WalkStep& step : walk) {
      const bool is_narrowed = step.outcome == Router::Outcome::kNarrowed;
      SKIFF_PROPERTY(is_narrowed ? !step.left.empty() : step.left == all);
    }
  }
}

int check(const std::uint8_t* data, std::size_t size) {
  std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::string_view text = take_until_nul(input);
  const std::string_view method = take_until_nul(input);
  const auto parsed = parse_virtual_host(text, "fuzz");
  SKIFF_PROPERTY(parsed || !parsed.error().message.empty());
  if (!parsed) return 0;
  SKIFF_PROPERTY(parse_virtual_host(text, "fuzz").value() == *parsed);
  const auto host = std::make_shared<const VirtualHost>(*parsed);
  const auto routes = StaticRoutes::of({host});
  SKIFF_PROPERTY(routes.has_value());
  for (const std::string& domain : host->domains) SKIFF_PROPERTY(routes->find(domain) == host);

  const auto providers = with_static_providers(
      {*dubbo::Url::parse("dubbo://10.0.0.1:20880/a.Demo?release=v1")}, host.get(), "a.Demo");
  SKIFF_PROPERTY(providers.size() <= 1 + static_providers(*host, "a.Demo").size());
  const dubbo::ConsumerIdentity consumer;
  Routers routers;
  static_route_rule(host)->compile({.interface = "a.Demo",
                                    .group = "",
                                    .version = "",
                                    .providers = providers,
                                    .consumer = consumer},
                                   routers);
  SKIFF_PROPERTY(routers.size() >= host->routes.size());
  route(*host, routers, providers.size(), method, input);
  return 0;
}

}  // namespace
}  // namespace skiff::governance

// NOLINTNEXTLINE(readability-identifier-naming): the name that libFuzzer calls
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return skiff::governance::check(data, size);
}
