#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "dubbo/durations.h"
#include "dubbo/result.h"

namespace skiff::agent {

// Reads "0", "500ms", "2s", "1m", "1h": whole numbers with a unit. Fails with kInvalidArgument.
Result<std::chrono::milliseconds> parse_duration(std::string_view text);

using dubbo::format_duration;

// Reads a number of bytes: "4096", "512KiB", "8MiB", "1GiB". Fails with kInvalidArgument.
Result<std::uint64_t> parse_size(std::string_view text);

// A decimal number from `min` to `max`, digits only. Fails with kInvalidArgument.
Result<std::uint64_t> parse_number(std::string_view text, std::uint64_t min, std::uint64_t max);

}  // namespace skiff::agent
