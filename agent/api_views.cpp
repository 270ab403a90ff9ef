#include "agent/api_views.h"

#include <nlohmann/json.hpp>

#include "agent/json_fields.h"
#include "agent/metrics_page.h"
#include "agent/openapi.h"
#include "agent/route_compiler.h"
#include "agent/status_report.h"
#include "agent/text.h"

namespace skiff::agent {
namespace {

using nlohmann::ordered_json;

ApiResponse json_response(const ordered_json& json, int status = 200) {
  ApiResponse response;
  response.status = status;
  response.body = to_text(json);
  return response;
}

ApiResponse text_response(std::string content_type, std::string text) {
  ApiResponse response;
  response.content_type = std::move(content_type);
  response.body = std::move(text);
  return response;
}

}  // namespace

ApiResponse get_publications(const ApiCall& call) {
  const auto known = call.control.ask([](registry::ControlPlane& plane) {
    return std::make_pair(plane.publications(), plane.leaving());
  });
  if (!known) return control_is_silent();
  return json_response({{"publications", publications_json(known->first)},
                        {"leaving", leaving_json(known->second)}});
}

ApiResponse get_subscriptions(const ApiCall& call) {
  const auto state = ask_control_state(call.control);
  if (!state) return control_is_silent();
  return json_response({{"subscriptions", subscriptions_json(state->subscriptions,
                                                             call.backend.traffic().endpoints)}});
}

ApiResponse get_service(const ApiCall& call) {
  const auto service = call.control.ask([interface = call.argument](registry::ControlPlane& plane) {
    return plane.service(interface);
  });
  if (!service) return control_is_silent();
  if (!*service) {
    return error_response(404, "service " + in_quotes(call.argument) +
                                   ": nobody on this machine asks for it; subscribe to it first");
  }
  return json_response(service_json(**service, call.backend.traffic().endpoints));
}

ApiResponse get_status(const ApiCall& call) {
  const auto state = ask_control_state(call.control);
  if (!state) return control_is_silent();
  return json_response(status_json(*state, call.backend));
}

// Alive is who still reaches the control thread: an agent whose control thread hangs needs a
// restart.
ApiResponse get_healthz(const ApiCall& call) {
  if (!call.control.ask([](registry::ControlPlane&) { return true; })) return control_is_silent();
  return json_response({{"status", "ok"}});
}

ApiResponse get_readyz(const ApiCall& call) {
  const Readiness readiness = call.backend.readiness();
  const auto known = call.control.ask(
      [](registry::ControlPlane& plane) { return std::pair(plane.registries(), plane.metrics()); });
  if (!known) return control_is_silent();
  const StateReport state = call.backend.state();
  const ordered_json json = {{"status", readiness.ready ? "ready" : "not ready"},
                             {"reason", readiness.reason},
                             {"registries", registries_json(known->first)},
                             {"lists", lists_json(known->second)},
                             {"state", {{"folder", state.folder}, {"problem", state.problem}}}};
  return json_response(json, readiness.ready ? 200 : 503);
}

ApiResponse get_metrics(const ApiCall& call) {
  auto input = call.control.ask([&backend = call.backend](registry::ControlPlane& plane) {
    MetricsInput known;
    known.registries = plane.registries();
    known.publications = plane.publications();
    known.subscriptions = plane.subscription_counts();
    known.registry = plane.metrics();
    known.drained = plane.is_drained();
    known.health = plane.health_counts();
    known.broken_rules = backend.compiler().broken_rules();
    return known;
  });
  if (!input) return control_is_silent();
  input->state = call.backend.state();
  input->traffic = call.backend.traffic();
  input->route_updates = call.backend.route_updates();
  input->api_requests = call.counters.counts();
  input->access_log = call.backend.access_log();
  input->stored = call.backend.stored_connections();
  input->upgrades_failed = call.backend.upgrades_failed();
  input->process = process_figures();
  input->last_change_seconds = call.backend.last_change_seconds();
  input->ready = call.backend.readiness().ready;
  return text_response("text/plain; version=0.0.4; charset=utf-8", metrics_text(*input));
}

ApiResponse get_config(const ApiCall& call) {
  return json_response(to_json(call.backend.config()));
}

ApiResponse get_openapi(const ApiCall& /*call*/) {
  return text_response("application/json", std::string(openapi_document()));
}

}  // namespace skiff::agent
