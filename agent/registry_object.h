#pragma once

#include <optional>

#include "agent/json_fields.h"
#include "registry/control_plane.h"

namespace skiff::agent {

// Reads the field `registry` of a body, in MOSN's form:
// {"type": "zookeeper", "addr": "127.0.0.1:2181", "username": "", "password": ""}
// into "zookeeper://127.0.0.1:2181". Empty where the field is absent or all of its members are.
// What else it holds is named in `warnings`. Fails with kInvalidArgument.
Result<std::optional<registry::RegistryName>> read_registry(JsonFields& body,
                                                            std::vector<std::string>& warnings);

}  // namespace skiff::agent
