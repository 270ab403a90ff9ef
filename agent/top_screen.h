#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "agent/traffic_sample.h"

// What `skiff top` shows, as text.
namespace skiff::agent {

struct ScreenSize {
  std::size_t rows = 24;
  std::size_t columns = 80;
};

// From two samples, `seconds` apart: two lines about all services together, and a table with a row
// a service, the busiest first. With a size, lines are cut to it and what does not fit is counted
// in the last one. Every line ends with a newline.
std::string top_screen(const TrafficSample& before, const TrafficSample& after, double seconds,
                       const std::optional<ScreenSize>& size);

}  // namespace skiff::agent
