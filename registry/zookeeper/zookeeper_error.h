#pragma once

#include <string>

#include "dubbo/result.h"

namespace skiff::registry {

// What a return code of the C client means for users: "not authenticated: ...".
Error zookeeper_error(const std::string& what, int rc);

// True for codes that say nothing but that the connection or session went away under an operation.
bool is_connection_error(int rc);

}  // namespace skiff::registry
