#pragma once

#include "agent/api_views.h"

namespace skiff::agent {

// POST /upgrade: answered when a new process goes on, or does not.
ApiResponse post_upgrade(const ApiCall& call);

}  // namespace skiff::agent
