#pragma once

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>

// The data of a provider's node: the advertised host, as stock providers write it. A node that took
// the place of another one of the same provider goes on with a space and the provider's age in ms
// at its creation: "10.0.0.5 200000". An age, since it is right whatever the writer's clock shows.
// Stock consumers read no data of these nodes.
namespace skiff::registry {

inline std::string node_data(const std::string& host, std::chrono::milliseconds age) {
  return host + ' ' + std::to_string(age.count());
}

// Zero where there is none; a year for whatever is more.
inline std::chrono::milliseconds age_in_node_data(std::string_view data) {
  constexpr std::chrono::milliseconds kMax = std::chrono::years(1);
  const std::size_t space = data.find(' ');
  if (space == std::string_view::npos) return {};
  std::uint64_t age = 0;
  const char* const end = data.data() + data.size();
  const auto read = std::from_chars(data.data() + space + 1, end, age);
  if (read.ec != std::errc() || read.ptr != end) return {};
  return std::chrono::milliseconds(std::min(age, static_cast<std::uint64_t>(kMax.count())));
}

}  // namespace skiff::registry
