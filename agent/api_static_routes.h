#pragma once

#include "agent/api_views.h"

// GET, PUT and DELETE /routes (docs/routes.md).
namespace skiff::agent {

ApiResponse get_routes(const ApiCall& call);
ApiResponse get_route(const ApiCall& call);
ApiResponse put_route(const ApiCall& call);
ApiResponse delete_route(const ApiCall& call);

}  // namespace skiff::agent
