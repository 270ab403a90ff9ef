#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "agent/config_sources.h"
#include "agent/route_book.h"
#include "dubbo/result.h"

namespace skiff::agent {

// Reads the configuration file again while the agent runs, at SIGHUP and when it has changed, and
// takes its `routes` over: all of them, or none where anything in the file is wrong. What else has
// changed needs a restart, and the log says so. Lives on the thread that runs the main loop.
class ConfigReload {
 public:
  // Fails with a sentence where the routes cannot be taken over; returns whether they differ.
  using TakeRoutes = std::function<Result<bool>(FileRoutes routes)>;

  // `in_force`: what `sources` gave at the start; its warnings are logged.
  ConfigReload(ConfigSources sources, LoadedConfig in_force, TakeRoutes take_routes);

  // At SIGHUP: reads the file, whether or not it looks different.
  void reload();
  // To be called every second or two. Reads the file where it is another one than before, once it
  // stays the same from one call to the next: editors write in pieces.
  void look();

 private:
  void read(const char* why);
  std::optional<LoadedConfig> load();
  void say_what_needs_a_restart(const AgentConfig& config);

  const ConfigSources sources_;
  LoadedConfig in_force_;  // all but the routes stays as it was at the start
  const TakeRoutes take_routes_;
  FileStamp read_;  // of the file as it was read last
  FileStamp seen_;  // by the last look()
};

}  // namespace skiff::agent
