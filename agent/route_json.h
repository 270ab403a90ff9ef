#pragma once

#include <nlohmann/json.hpp>

#include "governance/static_routes/virtual_host.h"

namespace skiff::agent {

// A virtual host as its reader takes it: reading the text again gives the same one.
nlohmann::ordered_json to_json(const governance::VirtualHost& host);

}  // namespace skiff::agent
