#pragma once

#include <cstdint>
#include <string>

namespace skiff::agent {

// How the state folder does.
struct StateReport {
  std::string folder;   // "": nothing outlives the process
  std::string problem;  // why what is there is not up to date; empty where it is
  std::uint64_t writes = 0;
  std::uint64_t write_failures = 0;
  std::uint64_t files_set_aside = 0;  // at the start, since they could not be used
};

}  // namespace skiff::agent
