#pragma once

#include <spdlog/sinks/sink.h>

#include <cstddef>
#include <string>
#include <vector>

// The last notable things that the agent logged, for people who look at its status. The process has
// one log, and one such list.
namespace skiff::agent {

inline constexpr std::size_t kEventsMax = 200;
inline constexpr std::size_t kEventTextMax = 500;  // bytes; a longer line is cut

struct RecentEvent {
  std::string time;   // UTC, "2026-01-31T23:59:59.123Z"
  std::string level;  // "info", "warning", "error", "critical"
  std::string text;   // may hold what other machines said
};

// The sink that keeps the lines of level info and above, the latest kEventsMax. Its lock is
// taken by the thread that writes the log and by recent_events(): who logs waits for neither.
spdlog::sink_ptr recent_events_sink();

// The oldest first. Any thread may call it.
std::vector<RecentEvent> recent_events();

}  // namespace skiff::agent
