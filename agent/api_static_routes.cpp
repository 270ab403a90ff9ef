#include "agent/api_static_routes.h"

#include <chrono>
#include <nlohmann/json.hpp>
#include <utility>

#include "agent/json_fields.h"
#include "agent/route_book.h"
#include "agent/route_json.h"
#include "agent/text.h"

namespace skiff::agent {
namespace {

using governance::VirtualHost;
using nlohmann::ordered_json;

// The control thread's time, and what the disk may take on top of it.
constexpr std::chrono::seconds kPatience{4};

ApiResponse failure(const Error& error) {
  return error_response(error.code == ErrorCode::kNotFound ? 404 : 400, error.message);
}

ApiResponse done(const char* word, const char* state) {
  ApiResponse response;
  response.body = to_text(
      ordered_json{{"err_no", 0}, {"err_msg", std::string(word) + " success"}, {"state", state}});
  return response;
}

ordered_json head_json(const RouteBook::Route& route, const std::string& file) {
  ordered_json json = {{"name", route.host->name}, {"origin", route.is_from_file ? "file" : "api"}};
  if (route.is_from_file) json["file"] = file;
  return json;
}

const char* name_of(RouteBook::Change change) {
  switch (change) {
    case RouteBook::Change::kCreated:
      return "created";
    case RouteBook::Change::kChanged:
      return "changed";
    default:
      return "unchanged";
  }
}

// Runs `change(book)` and waits until what it changed is on the disk.
template <typename Outcome, typename Change>
std::optional<Outcome> change_book(const ApiCall& call, Change change) {
  return call.control.wait_for<Outcome>(
      kPatience,
      [&backend = call.backend, change = std::move(change)](auto& /*plane*/, auto finish) mutable {
        RouteBook& book = backend.routes();
        Outcome outcome = change(book);
        if (!outcome) return finish(std::move(outcome));
        book.when_stored([finish, outcome]() mutable { finish(std::move(outcome)); });
      });
}

}  // namespace

ApiResponse get_routes(const ApiCall& call) {
  const auto list = call.control.ask([&backend = call.backend](auto& /*plane*/) {
    ordered_json routes = ordered_json::array();
    const RouteBook& book = backend.routes();
    for (const auto& [name, route] : book.routes()) {
      ordered_json json = head_json(route, book.file());
      json["domains"] = route.host->domains;
      routes.push_back(std::move(json));
    }
    return routes;
  });
  if (!list) return control_is_silent();
  ApiResponse response;
  response.body = to_text(ordered_json{{"routes", *list}});
  return response;
}

ApiResponse get_route(const ApiCall& call) {
  const auto found = call.control.ask([&backend = call.backend, name = call.argument](auto&) {
    const RouteBook& book = backend.routes();
    const auto route = book.routes().find(name);
    ordered_json json;
    if (route == book.routes().end()) return json;
    json = head_json(route->second, book.file());
    json["route"] = to_json(*route->second.host);
    if (!route->second.is_from_file) json["text"] = route->second.text;
    return json;
  });
  if (!found) return control_is_silent();
  if (found->is_null()) return error_response(404, "there is no route " + in_quotes(call.argument));
  ApiResponse response;
  response.body = to_text(*found);
  return response;
}

ApiResponse put_route(const ApiCall& call) {
  if (!governance::is_route_name(call.argument)) {
    return error_response(400, "name: came " + in_quotes(call.argument) +
                                   ", expected one of A-Z a-z 0-9 _ . - with at most 128 bytes");
  }
  auto parsed = governance::parse_virtual_host(call.request.body, call.argument);
  if (!parsed) return failure(parsed.error());
  if (call.backend.is_stopping()) return error_response(503, "the agent is stopping");
  const auto changed = change_book<Result<RouteBook::Change>>(
      call, [host = std::make_shared<const VirtualHost>(std::move(*parsed)),
             text = call.request.body](RouteBook& book) { return book.put(host, text); });
  if (!changed) return control_is_silent();
  if (!*changed) return failure(changed->error());
  return done("put", name_of(**changed));
}

ApiResponse delete_route(const ApiCall& call) {
  if (call.backend.is_stopping()) return error_response(503, "the agent is stopping");
  const auto removed = change_book<Result<void>>(
      call, [name = call.argument](RouteBook& book) { return book.remove(name); });
  if (!removed) return control_is_silent();
  if (!*removed) return failure(removed->error());
  return done("delete", "removed");
}

}  // namespace skiff::agent
