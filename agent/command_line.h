#pragma once

namespace skiff::agent {

// The program `skiff`: reads the command line and does what it says. Returns the exit code: 0 where
// it was done, 1 where it was not (errors are on stderr), 2 where the command line or, of `run`,
// the configuration is wrong.
int run_command_line(int argc, const char* const* argv);

}  // namespace skiff::agent
