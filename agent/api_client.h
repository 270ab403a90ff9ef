#pragma once

#include <httplib.h>

#include <chrono>
#include <functional>
#include <string>

#include "agent/config.h"
#include "dubbo/result.h"

namespace skiff::agent {

struct ApiAnswer {
  int status = 0;
  std::string body;
};

// Asks the agent whose API is at `api`, on a connection of its own. Fails with kUnavailable where
// no answer came; one with an error status is an answer.
Result<ApiAnswer> ask_agent(const ApiAddress& api, std::chrono::milliseconds patience,
                            const std::function<httplib::Result(httplib::ClientImpl&)>& send);

}  // namespace skiff::agent
