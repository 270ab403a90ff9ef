#include "registry/health_check.h"

#include <array>

namespace skiff::registry {
namespace {

constexpr std::array<std::string_view, 3> kNames = {"dubbo", "tcp", "none"};

}  // namespace

std::string_view name_of(HealthCheck::Type type) { return kNames[static_cast<std::size_t>(type)]; }

std::optional<HealthCheck::Type> health_check_type(std::string_view name) {
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] == name) return static_cast<HealthCheck::Type>(i);
  }
  return std::nullopt;
}

}  // namespace skiff::registry
