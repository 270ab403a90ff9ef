#include "agent/config_sources.h"

#include <sys/stat.h>

#include <cerrno>
#include <sstream>

#include "agent/settings.h"

namespace skiff::agent {
namespace {

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
  return loaded;
}

}  // namespace skiff::agent
