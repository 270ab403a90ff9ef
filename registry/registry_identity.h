#pragma once

#include <string>

#include "dubbo/result.h"

namespace skiff::registry {

// Equal for registry addresses that lead to the same registry: the order of the servers, default
// ports and credentials do not matter. Fails with kInvalidArgument as open_registry() does.
Result<std::string> registry_identity(const std::string& address);

}  // namespace skiff::registry
