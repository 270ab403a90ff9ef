#include "agent/api_upgrade.h"

#include <nlohmann/json.hpp>

#include "agent/json_fields.h"

namespace skiff::agent {

ApiResponse post_upgrade(const ApiCall& call) {
  constexpr int kConflict = 409;
  const auto handover = call.backend.upgrade();
  if (!handover) return error_response(kConflict, handover.error().message);
  ApiResponse response;
  response.body = to_text(nlohmann::ordered_json{{"err_no", 0},
                                                 {"err_msg", "upgrade success"},
                                                 {"pid", handover->pid},
                                                 {"version", handover->version},
                                                 {"consumers", handover->consumers},
                                                 {"inbound", handover->inbound},
                                                 {"pause_us", handover->pause.count()}});
  return response;
}

}  // namespace skiff::agent
