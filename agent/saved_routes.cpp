#include "agent/saved_routes.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "agent/json_fields.h"

namespace skiff::agent {

using nlohmann::json;

std::string to_text(const SavedRoutes& routes) {
  json list = json::array();
  for (const auto& [name, text] : routes) list.push_back({{"name", name}, {"text", text}});
  return to_text(json{{"routes", std::move(list)}});
}

Result<SavedRoutes> parse_saved_routes(std::string_view text) {
  const json read = json::parse(text, nullptr, false);
  const auto is_text = [](const json& object, const char* key) {
    return object.is_object() && object.contains(key) && object[key].is_string();
  };
  if (!read.is_object() || !read.contains("routes") || !read["routes"].is_array()) {
    return fail(ErrorCode::kMalformed, "it is no list of routes");
  }
  SavedRoutes routes;
  for (const json& one : read["routes"]) {
    if (!is_text(one, "name") || !is_text(one, "text")) {
      return fail(ErrorCode::kMalformed,
                  "route " + std::to_string(routes.size()) + " has no name or no text");
    }
    routes.push_back({one["name"], one["text"]});
  }
  return routes;
}

}  // namespace skiff::agent
