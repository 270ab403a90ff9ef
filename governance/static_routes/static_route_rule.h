#pragma once

#include "governance/router_rules.h"
#include "governance/static_routes/virtual_host.h"

namespace skiff::governance {

// The routes of a virtual host as a rule; compile it for the interfaces of its domains only, with
// providers as with_static_providers() has them. It stands for one router an entry, of which the
// first that matches counts, and a last one that keeps requests which match none away from the
// hosts of static clusters. A destination whose providers are all gone gets nothing: the others of
// its entry share its requests, and where there is none the request is refused.
RouterRulePtr static_route_rule(VirtualHostPtr host);

}  // namespace skiff::governance
