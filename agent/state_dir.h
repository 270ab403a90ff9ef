#pragma once

#include <string>

#include "dubbo/result.h"

namespace skiff::agent {

inline constexpr const char* kDefaultStateDir = "/var/lib/skiff";

// Creates `path`, one level deep, where it is missing, and checks that it can be written. Fails
// with kUnavailable and a sentence that says what is wrong.
Result<void> prepare_state_dir(const std::string& path);

// The folder to use: `wanted`, which must be writable, or, where it is "", kDefaultStateDir if that
// is writable, else "".
Result<std::string> choose_state_dir(const std::string& wanted);

}  // namespace skiff::agent
