#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agent/config.h"
#include "agent/config_file.h"

namespace skiff::agent {

inline constexpr const char* kDefaultConfigFile = "/etc/skiff/skiff.yaml";

// Where a configuration comes from; a later source beats an earlier one, key by key.
struct ConfigSources {
  std::optional<std::string> file;  // --config: must exist; else kDefaultConfigFile, if it does
  std::function<const char*(const char*)> environment;    // getenv; a seam for tests
  std::map<std::string, std::vector<std::string>> flags;  // by key
  std::string default_file = kDefaultConfigFile;
};

struct LoadedConfig {
  AgentConfig config;
  std::vector<std::string> errors;  // sentences with their origin; empty: `config` is usable
  std::string file;                 // the file that was read; "" if none
};

// Lists in the environment (SKIFF_API, SKIFF_REGISTRY) are separated by spaces.
LoadedConfig load_config(const ConfigSources& sources);

}  // namespace skiff::agent
