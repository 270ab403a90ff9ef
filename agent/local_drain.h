#pragma once

#include <chrono>
#include <string>

#include "agent/api_backend.h"
#include "agent/control_client.h"

namespace skiff::agent {

// Traffic for providers that are about to stop and are out of the registries: waits until their
// consumers have turned elsewhere, tells those that have not (READONLY), and waits until nothing is
// in flight and nothing more comes. Ports that another publication goes on using are not waited
// for: requests are told apart by port. On an HTTP thread.
//
// Returns why that was not reached by `deadline`; empty where it was.
std::string drain_suspended(ControlClient& control, ApiBackend& backend,
                            std::chrono::steady_clock::time_point deadline);

}  // namespace skiff::agent
