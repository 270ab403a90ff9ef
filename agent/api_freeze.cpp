#include "agent/api_freeze.h"

#include <nlohmann/json.hpp>

#include "agent/json_fields.h"

namespace skiff::agent {
namespace {

// `waiting`: how many lists had changed and wait, or waited until now.
ApiResponse run(const ApiCall& call, const char* word, void (registry::ControlPlane::*step)()) {
  struct Done {
    bool is_frozen = false;
    std::size_t waiting = 0;
  };
  const auto done = call.control.ask([step](registry::ControlPlane& plane) {
    const std::size_t waiting = plane.metrics().waiting_lists;
    (plane.*step)();
    return Done{.is_frozen = plane.metrics().is_frozen, .waiting = waiting};
  });
  if (!done) return control_is_silent();
  ApiResponse response;
  response.body =
      to_text(nlohmann::ordered_json{{"err_no", 0},
                                     {"err_msg", std::string(word) + " success"},
                                     {"state", done->is_frozen ? "frozen" : "following"},
                                     {"waiting", done->waiting}});
  return response;
}

}  // namespace

ApiResponse post_freeze(const ApiCall& call) {
  return run(call, "freeze", &registry::ControlPlane::freeze);
}

ApiResponse post_unfreeze(const ApiCall& call) {
  return run(call, "unfreeze", &registry::ControlPlane::unfreeze);
}

}  // namespace skiff::agent
