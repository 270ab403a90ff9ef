#pragma once

#include "agent/api.h"
#include "agent/request_body.h"

namespace skiff::agent {

// Runs a verb for every service of the body and answers as docs/http-api.md says.
ApiResponse run_verb(Verb verb, const ApiRequest& request, ControlClient& control,
                     ApiBackend& backend);

}  // namespace skiff::agent
