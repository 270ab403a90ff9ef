#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agent/config.h"
#include "agent/config_file.h"
#include "governance/static_routes/virtual_host.h"

namespace skiff::agent {

inline constexpr const char* kDefaultConfigFile = "/etc/skiff/skiff.yaml";

// Where a configuration comes from; a later source beats an earlier one, key by key.
struct ConfigSources {
  std::optional<std::string> file;  // --config: must exist; else kDefaultConfigFile, if it does
  std::function<const char*(const char*)> environment;    // getenv; a seam for tests
  std::function<std::vector<std::string>()> variables;    // names in it; a seam, too
  std::map<std::string, std::vector<std::string>> flags;  // by key
  std::string default_file = kDefaultConfigFile;
};

// Which file it was, and in which state; two that differ are two different files to read.
struct FileStamp {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;  // 0: there is none
  std::int64_t size = 0;
  std::int64_t changed_ns = 0;  // its modification time

  bool operator==(const FileStamp&) const = default;
};

struct LoadedConfig {
  AgentConfig config;
  std::vector<governance::VirtualHostPtr> routes;
  std::vector<governance::FilterEntryPtr> filters;
  std::vector<std::string> errors;    // sentences with their origin; empty: `config` is usable
  std::vector<std::string> warnings;  // sentences of the same kind that keep no agent from running
  std::string file;                   // the file that was read; "" if none
  FileStamp stamp;                    // taken before it was read
};

// What ConfigSources takes from the environment of this process.
const char* process_variable(const char* name);
std::vector<std::string> process_variables();

// The file that is read, if it exists.
const std::string& config_file_of(const ConfigSources& sources);
FileStamp stamp_of(const ConfigSources& sources);

// Lists in the environment (SKIFF_API, SKIFF_REGISTRY) are separated by spaces. A variable
// SKIFF_... that is no key is a warning: others may have set it, and an agent is to run rather than
// not.
LoadedConfig load_config(const ConfigSources& sources);

}  // namespace skiff::agent
