#include "agent/config_sources.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <sstream>

#include "agent/nearest_name.h"
#include "agent/settings.h"

namespace skiff::agent {
namespace {

constexpr std::string_view kPrefix = "SKIFF_";

// Variables with our prefix that are no keys: what an agent tells its successor, and what scripts/
// and tests/ are told, whose agents inherit it.
constexpr std::array<std::string_view, 7> kOtherVariables = {
    "SKIFF_BENCH_PROGRAMS", "SKIFF_BINARY",          "SKIFF_CHAOS_SEED",    "SKIFF_FUZZ_SECONDS",
    "SKIFF_HANDOVER",       "SKIFF_PACKAGE_VERSION", "SKIFF_TEST_NAMESPACE"};

// Kubernetes tells every container of a namespace where its services are: SKIFF_SERVICE_HOST,
// SKIFF_PORT_20883_TCP_ADDR and so on for one that is called "skiff".
bool is_from_kubernetes(std::string_view name) {
  return name.ends_with("_SERVICE_HOST") || name.find("_SERVICE_PORT") != std::string_view::npos ||
         name.ends_with("_PORT") || name.find("_PORT_") != std::string_view::npos;
}

bool is_known_variable(std::string_view name) {
  const auto all = settings();
  return std::find(kOtherVariables.begin(), kOtherVariables.end(), name) != kOtherVariables.end() ||
         std::any_of(all.begin(), all.end(),
                     [name](const Setting& setting) { return setting.variable() == name; });
}

std::vector<std::string> unknown_variables(const ConfigSources& sources) {
  std::vector<std::string> warnings;
  if (!sources.variables) return warnings;
  std::vector<std::string> known;
  for (const Setting& setting : settings()) {
    known.push_back(setting.variable().substr(kPrefix.size()));
  }
  std::vector<std::string> names = sources.variables();
  std::sort(names.begin(), names.end());
  for (const std::string& name : names) {
    if (!name.starts_with(kPrefix) || is_known_variable(name) || is_from_kubernetes(name)) continue;
    const auto nearest = nearest_name(std::string_view(name).substr(kPrefix.size()), known);
    warnings.push_back("environment variable " + name + ": no key of the configuration" +
                       (nearest ? "; did you mean " + std::string(kPrefix) + *nearest + "?" : ""));
  }
  return warnings;
}

bool exists(const std::string& path) {
  struct stat info {};
  return stat(path.c_str(), &info) == 0 || errno != ENOENT;
}

std::vector<std::string> split_at_spaces(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

SourceReading read_environment(const ConfigSources& sources) {
  SourceReading reading;
  if (!sources.environment) return reading;
  for (const Setting& setting : settings()) {
    const std::string variable = setting.variable();
    const char* value = sources.environment(variable.c_str());
    if (value == nullptr || *value == '\0') continue;
    reading.values.push_back(
        {.key = std::string(setting.key),
         .values = setting.is_list ? split_at_spaces(value) : std::vector<std::string>{value},
         .origin = "environment variable " + variable});
  }
  return reading;
}

SourceReading read_flags(const ConfigSources& sources) {
  SourceReading reading;
  for (const auto& [key, values] : sources.flags) {
    const Setting* setting = find_setting(key);
    if (setting == nullptr || values.empty()) continue;
    reading.values.push_back({.key = key, .values = values, .origin = setting->flag()});
  }
  return reading;
}

void apply(const SourceReading& reading, LoadedConfig& loaded) {
  loaded.errors.insert(loaded.errors.end(), reading.errors.begin(), reading.errors.end());
  for (const SourcedValue& value : reading.values) {
    const auto applied = find_setting(value.key)->apply(loaded.config, value.values);
    if (!applied) loaded.errors.push_back(value.origin + ": " + applied.error().message);
  }
}

}  // namespace

const char* process_variable(const char* name) { return std::getenv(name); }

std::vector<std::string> process_variables() {
  std::vector<std::string> names;
  for (char** variable = environ; variable != nullptr && *variable != nullptr; ++variable) {
    const std::string_view text = *variable;
    names.emplace_back(text.substr(0, text.find('=')));
  }
  return names;
}

const std::string& config_file_of(const ConfigSources& sources) {
  return sources.file ? *sources.file : sources.default_file;
}

FileStamp stamp_of(const ConfigSources& sources) {
  constexpr std::int64_t kNsPerSecond = 1'000'000'000;
  struct stat info {};
  if (stat(config_file_of(sources).c_str(), &info) != 0) return {};
  return {.device = info.st_dev,
          .inode = info.st_ino,
          .size = info.st_size,
          .changed_ns = info.st_mtim.tv_sec * kNsPerSecond + info.st_mtim.tv_nsec};
}

LoadedConfig load_config(const ConfigSources& sources) {
  LoadedConfig loaded;
  if (sources.file) {
    loaded.file = *sources.file;
  } else if (exists(sources.default_file)) {
    loaded.file = sources.default_file;
  }
  loaded.stamp = stamp_of(sources);
  if (!loaded.file.empty()) {
    SourceReading reading = read_config_file(loaded.file);
    apply(reading, loaded);
    loaded.routes = std::move(reading.routes);
    loaded.filters = std::move(reading.filters);
  }
  apply(read_environment(sources), loaded);
  apply(read_flags(sources), loaded);
  loaded.warnings = unknown_variables(sources);
  return loaded;
}

}  // namespace skiff::agent
