#pragma once

#include <string>

#include "agent/api.h"

// The GET routes: each answers with what the agent knows at that moment.
namespace skiff::agent {

// What a route handler is given.
struct ApiCall {
  const ApiRequest& request;
  std::string argument;  // the path's last segment, of routes that take one
  ControlClient& control;
  ApiBackend& backend;
  const ApiCounters& counters;
};

ApiResponse get_publications(const ApiCall& call);
ApiResponse get_subscriptions(const ApiCall& call);
ApiResponse get_service(const ApiCall& call);
ApiResponse get_status(const ApiCall& call);
ApiResponse get_healthz(const ApiCall& call);
ApiResponse get_readyz(const ApiCall& call);
ApiResponse get_metrics(const ApiCall& call);
ApiResponse get_config(const ApiCall& call);
ApiResponse get_openapi(const ApiCall& call);

}  // namespace skiff::agent
