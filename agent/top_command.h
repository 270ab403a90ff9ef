#pragma once

#include "agent/config.h"

namespace skiff::agent {

// `skiff top`: shows the traffic of the running agent every second, until `q` or Ctrl-C. With
// `once`, or where standard input or output is no terminal, it shows one second of it and ends.
// Returns the exit code: 1 where the agent was not reached at the start.
int run_top_command(const ApiAddress& api, bool once);

}  // namespace skiff::agent
