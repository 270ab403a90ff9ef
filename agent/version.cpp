#include "agent/version.h"

#include <httplib.h>
#include <spdlog/version.h>
#include <zookeeper/zookeeper_version.h>

#include <CLI/Version.hpp>
#include <nlohmann/json.hpp>

#include "build_info.h"

namespace skiff::agent {
namespace {

std::string dotted(int major, int minor, int patch) {
  return std::to_string(major) + "." + std::to_string(minor) + "." + std::to_string(patch);
}

std::string line(const std::string& name, const std::string& value) {
  return name + std::string(name.size() < 16 ? 16 - name.size() : 1, ' ') + value + "\n";
}

}  // namespace

std::string_view version() { return SKIFF_VERSION; }
std::string_view commit() { return SKIFF_COMMIT; }

std::string version_text() {
  return line("skiff", SKIFF_VERSION) + line("commit", SKIFF_COMMIT) +
         line("compiler", __VERSION__) + line("cpp-httplib", CPPHTTPLIB_VERSION) +
         line("nlohmann_json", dotted(NLOHMANN_JSON_VERSION_MAJOR, NLOHMANN_JSON_VERSION_MINOR,
                                      NLOHMANN_JSON_VERSION_PATCH)) +
         line("CLI11", CLI11_VERSION) + line("yaml-cpp", SKIFF_YAML_CPP_VERSION) +
         line("prometheus-cpp", SKIFF_PROMETHEUS_CPP_VERSION) +
         line("spdlog", dotted(SPDLOG_VER_MAJOR, SPDLOG_VER_MINOR, SPDLOG_VER_PATCH)) +
         line("zookeeper", ZOO_VERSION) + line("libsystemd", SKIFF_SYSTEMD_VERSION);
}

}  // namespace skiff::agent
