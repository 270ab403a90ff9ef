#include "agent/config_reload.h"

#include <spdlog/spdlog.h>

#include <nlohmann/json.hpp>
#include <string>
#include <utility>

namespace skiff::agent {

ConfigReload::ConfigReload(ConfigSources sources, LoadedConfig in_force, TakeRoutes take_routes)
    : sources_(std::move(sources)),
      in_force_(std::move(in_force)),
      take_routes_(std::move(take_routes)),
      read_(in_force_.stamp),
      seen_(in_force_.stamp) {
  for (const std::string& warning : in_force_.warnings) spdlog::warn("{}", warning);
}

void ConfigReload::reload() { read("SIGHUP"); }

void ConfigReload::look() {
  const FileStamp now = stamp_of(sources_);
  const bool is_settled = now == seen_;
  seen_ = now;
  if (is_settled && now != read_) read("it has changed");
}

void ConfigReload::read(const char* why) {
  const std::string name = config_file_of(sources_);
  spdlog::info("reading {} again: {}", name, why);
  auto loaded = load();
  if (!loaded) {
    spdlog::error("{}: the old routes stay in force, all of them", name);
    return;
  }
  const std::size_t count = loaded->routes.size();
  const std::size_t filters = loaded->filters.size();
  const auto taken =
      take_routes_({.file = loaded->file, .hosts = loaded->routes, .filters = loaded->filters});
  if (!taken) {
    spdlog::error("{}: routes: {}", name, taken.error().message);
    spdlog::error("{}: the old routes stay in force, all of them", name);
    return;
  }
  say_what_needs_a_restart(loaded->config);
  if (*taken) {
    spdlog::info("{}: new routes are in force: {}; filters of all services: {}", name, count,
                 filters);
  } else {
    spdlog::info("{}: its routes are as they were: {}", name, count);
  }
}

// Empty, and logged, where anything is wrong.
std::optional<LoadedConfig> ConfigReload::load() {
  LoadedConfig loaded = load_config(sources_);
  read_ = loaded.stamp;
  if (loaded.file.empty() && !in_force_.file.empty()) {
    loaded.errors.push_back(in_force_.file + ": is gone");
  }
  for (const std::string& error : loaded.errors) spdlog::error("{}", error);
  if (!loaded.errors.empty()) return std::nullopt;
  in_force_.file = loaded.file;
  return loaded;
}

void ConfigReload::say_what_needs_a_restart(const AgentConfig& config) {
  const nlohmann::ordered_json before = to_json(in_force_.config);
  const nlohmann::ordered_json now = to_json(config);
  for (const auto& [key, value] : now.items()) {
    if (before.at(key) != value) {
      spdlog::warn("{}: {} has changed: needs a restart", in_force_.file, key);
    }
  }
}

}  // namespace skiff::agent
