#pragma once

#include <optional>

#include "agent/config_sources.h"
#include "agent/predecessor.h"

namespace skiff::agent {

// `skiff run`: starts the agent, waits for SIGTERM or SIGINT, stops it. A second signal ends the
// process at once. SIGUSR2, and the API, have a new process of the same program go on, with all
// connections; so does this process where there is a `predecessor`. Returns the exit code: 0 after
// an orderly stop, 1 where the start failed (the reason is on stderr). Reads `sources`, which
// `loaded` comes from, again at SIGHUP and when the file changes, for its static routes. To be
// called on the main thread before any other is started.
int run_agent(LoadedConfig loaded, const ConfigSources& sources,
              std::optional<Predecessor> predecessor);

}  // namespace skiff::agent
