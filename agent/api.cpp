#include "agent/api.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <optional>

#include "agent/api_drain.h"
#include "agent/api_explain.h"
#include "agent/api_freeze.h"
#include "agent/api_page.h"
#include "agent/api_static_routes.h"
#include "agent/api_upgrade.h"
#include "agent/api_verbs.h"
#include "agent/api_views.h"
#include "agent/json_fields.h"
#include "agent/text.h"

namespace skiff::agent {
namespace {

template <Verb verb>
ApiResponse post(const ApiCall& call) {
  return run_verb(verb, call.request, call.control, call.backend);
}

using Handler = ApiResponse (*)(const ApiCall&);

struct ServedRoute {
  ApiRoute route;
  Handler handler = nullptr;
};

constexpr std::array kRoutes = {
    ServedRoute{{"POST", "/publish"}, post<Verb::kPublish>},
    ServedRoute{{"POST", "/unpublish"}, post<Verb::kUnpublish>},
    ServedRoute{{"POST", "/subscribe"}, post<Verb::kSubscribe>},
    ServedRoute{{"POST", "/unsubscribe"}, post<Verb::kUnsubscribe>},
    ServedRoute{{"POST", "/stopping"}, post<Verb::kStopping>},
    ServedRoute{{"POST", "/ready"}, post<Verb::kReady>},
    ServedRoute{{"POST", "/pub"}, post<Verb::kPublish>},  // MOSN's names
    ServedRoute{{"POST", "/unpub"}, post<Verb::kUnpublish>},
    ServedRoute{{"POST", "/sub"}, post<Verb::kSubscribe>},
    ServedRoute{{"POST", "/unsub"}, post<Verb::kUnsubscribe>},
    ServedRoute{{"POST", "/drain"}, post_drain},
    ServedRoute{{"POST", "/undrain"}, post_undrain},
    ServedRoute{{"POST", "/freeze"}, post_freeze},
    ServedRoute{{"POST", "/unfreeze"}, post_unfreeze},
    ServedRoute{{"POST", "/upgrade"}, post_upgrade},
    ServedRoute{{"GET", "/publications"}, get_publications},
    ServedRoute{{"GET", "/subscriptions"}, get_subscriptions},
    ServedRoute{{"GET", "/services/{interface}"}, get_service},
    ServedRoute{{"GET", "/explain"}, get_explain},
    ServedRoute{{"GET", "/rules"}, get_rules},
    ServedRoute{{"GET", "/routes"}, get_routes},
    ServedRoute{{"GET", "/routes/{name}"}, get_route},
    ServedRoute{{"PUT", "/routes/{name}"}, put_route},
    ServedRoute{{"DELETE", "/routes/{name}"}, delete_route},
    ServedRoute{{"GET", "/status"}, get_status},
    ServedRoute{{"GET", "/healthz"}, get_healthz},
    ServedRoute{{"GET", "/readyz"}, get_readyz},
    ServedRoute{{"GET", "/metrics"}, get_metrics},
    ServedRoute{{"GET", "/config"}, get_config},
    ServedRoute{{"GET", "/openapi.json"}, get_openapi},
    ServedRoute{{"GET", "/"}, get_page},
    ServedRoute{{"GET", "/page/{file}"}, get_page_file},
};

// What stands for the last segment of a path such as "/routes/{name}", "" in other paths; nullopt
// where the path is another.
std::optional<std::string> match(std::string_view route_path, std::string_view path) {
  if (!route_path.ends_with('}')) {
    return route_path == path ? std::optional(std::string()) : std::nullopt;
  }
  const std::string_view prefix = route_path.substr(0, route_path.rfind('{'));
  if (!path.starts_with(prefix)) return std::nullopt;
  const std::string_view argument = path.substr(prefix.size());
  if (argument.empty() || argument.find('/') != std::string_view::npos) return std::nullopt;
  return std::string(argument);
}

bool serves(const ApiRoute& route, const std::string& method) {
  return route.method == method || (route.method == "GET" && method == "HEAD");
}

// Where nothing serves the request: 405 where the path is known, else 404.
ApiResponse refuse(const ApiRequest& request) {
  std::string expected;
  std::string allow;
  for (const auto& [route, handler] : kRoutes) {
    if (!match(route.path, request.path)) continue;
    expected.append(expected.empty() ? "" : " or ").append(route.method);
    allow.append(allow.empty() ? "" : ", ").append(route.method);
    if (route.method == "GET") allow += ", HEAD";
  }
  if (expected.empty()) {
    return error_response(
        404, "path: came " + in_quotes(request.path) + ", expected one of those in /openapi.json");
  }
  ApiResponse response =
      error_response(405, "method: came " + in_quotes(request.method) + " " +
                              in_quotes(request.path) + ", expected " + expected);
  response.allow = allow;
  return response;
}

}  // namespace

std::vector<ApiRoute> api_routes() {
  std::vector<ApiRoute> routes;
  routes.reserve(kRoutes.size());
  for (const auto& served : kRoutes) routes.push_back(served.route);
  return routes;
}

ApiResponse error_response(int status, const std::string& sentence) {
  ApiResponse response;
  response.status = status;
  response.body = to_text(nlohmann::ordered_json{{"err_no", 1}, {"err_msg", sentence}});
  return response;
}

ApiResponse control_is_silent() {
  return error_response(503, "the agent's control thread did not answer in time");
}

ApiResponse Api::handle(const ApiRequest& request) {
  for (const auto& [route, handler] : kRoutes) {
    const auto argument = match(route.path, request.path);
    if (!argument || !serves(route, request.method)) continue;
    const ApiCall call{.request = request,
                       .argument = *argument,
                       .control = control_,
                       .backend = backend_,
                       .counters = counters_};
    ApiResponse response =
        request.body_too_large
            ? error_response(413, "body: came more than " + std::to_string(kMaxBodyBytes) +
                                      " bytes, expected at most that")
            : handler(call);
    counters_.count(std::string(route.method) + " " + std::string(route.path), response.status);
    return response;
  }
  ApiResponse response = refuse(request);
  counters_.count("other", response.status);
  return response;
}

}  // namespace skiff::agent
