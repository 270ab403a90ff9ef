#pragma once

#include "agent/api_views.h"

// Whether changes of lists of providers are applied. Both routes take no body, are idempotent, and
// answer with what is so then.
namespace skiff::agent {

ApiResponse post_freeze(const ApiCall& call);
ApiResponse post_unfreeze(const ApiCall& call);

}  // namespace skiff::agent
