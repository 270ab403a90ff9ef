#pragma once

#include <memory>
#include <string>
#include <vector>

#include "dubbo/consumer_identity.h"
#include "dubbo/url.h"
#include "governance/rule_set.h"
#include "governance/service_route.h"
#include "governance/static_routes/static_routes.h"

namespace skiff::governance {

// All that decides how requests for one interface are routed.
struct RouteInputs {
  std::string interface;
  std::vector<dubbo::Url> providers;  // as the registries list them
  RuleSet rules = {};
  dubbo::ConsumerIdentity consumer = {};
  std::shared_ptr<const StaticRoutes> static_routes = {};  // null: none
};

// The parameter of consumer and provider that decides which providers come first.
inline constexpr std::string_view kZoneParameter = "zone";

struct CompiledRoute {
  ServiceRoute route;
  // A sentence each about providers that are left out and about values that are not understood.
  std::vector<std::string> problems;
};

// Pure. Providers that cannot be called (provider_endpoint.h) are left out. One address is one
// provider, however many registries list it.
CompiledRoute compile_service_route(RouteInputs inputs);

}  // namespace skiff::governance
