#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace skiff::dubbo {

// Reads "0", "500ms", "2s", "1m", "1h": whole numbers with a unit; nullopt where it is anything
// else.
std::optional<std::chrono::milliseconds> read_duration(std::string_view text);

// In the largest unit that leaves a whole number: "90s", "1500ms", "0s".
std::string format_duration(std::chrono::milliseconds duration);

}  // namespace skiff::dubbo
