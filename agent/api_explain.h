#pragma once

#include "agent/api_views.h"

namespace skiff::agent {

// How a request would be routed, and why. A service that nobody has asked for yet is asked for
// first, as a request would.
ApiResponse get_explain(const ApiCall& call);
// The rules of registries that concern this agent, and what is wrong with them.
ApiResponse get_rules(const ApiCall& call);

}  // namespace skiff::agent
