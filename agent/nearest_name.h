#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace skiff::agent {

// The one of `names` that `name` was probably meant to be: the fewest letters are to be added, left
// out, or replaced, and no more than a third of it. The first of several.
std::optional<std::string> nearest_name(std::string_view name, std::span<const std::string> names);

// "; did you mean \"workers\"?", or "" where no name is near.
std::string did_you_mean(std::string_view name, std::span<const std::string> names);

}  // namespace skiff::agent
