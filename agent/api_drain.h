#pragma once

#include "agent/api_views.h"

// The whole machine out of service, and back (docs/http-api.md). Both routes take no body, are
// idempotent, and answer with what has come of it within ?wait=.
namespace skiff::agent {

ApiResponse post_drain(const ApiCall& call);
ApiResponse post_undrain(const ApiCall& call);

}  // namespace skiff::agent
