#pragma once

#include <chrono>
#include <string>

namespace skiff::agent {

// As RFC 3339 has it, in UTC, with milliseconds: "2026-01-31T23:59:59.123Z".
std::string utc_text(std::chrono::system_clock::time_point time);

}  // namespace skiff::agent
