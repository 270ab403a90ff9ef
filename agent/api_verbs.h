#pragma once

#include <chrono>

#include "agent/api.h"
#include "agent/request_body.h"
#include "dubbo/result.h"

namespace skiff::agent {

// What the control thread may take on top of `wait` before the answer is given up.
inline constexpr std::chrono::seconds kAnswerMargin{2};

// ?wait= of a request, 0 to 60s. Fails with kInvalidArgument.
Result<std::chrono::milliseconds> read_wait(const ApiRequest& request,
                                            std::chrono::milliseconds by_default);

// Where it is not known whether a request was carried out.
ApiResponse no_answer_in_time();

// Runs a verb for every service of the body and answers as docs/http-api.md says.
ApiResponse run_verb(Verb verb, const ApiRequest& request, ControlClient& control,
                     ApiBackend& backend);

}  // namespace skiff::agent
