#pragma once

#include <cstdint>

namespace skiff::agent {

// What the kernel says of this process; 0 where it does not.
struct ProcessFigures {
  double cpu_seconds = 0;  // user and system
  std::uint64_t resident_bytes = 0;
  std::uint64_t open_fds = 0;
  std::uint64_t max_fds = 0;
  double start_time_seconds = 0;  // since 1970
};

// Reads files of /proc. From any thread but the workers.
ProcessFigures process_figures();

}  // namespace skiff::agent
