#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace skiff::registry {

// How the agent finds out whether a local provider serves.
struct HealthCheck {
  // kDubbo: a heartbeat, which any event response answers; kTcp: the port takes a connection;
  // kNone: never looked at, always taken for healthy.
  enum class Type { kDubbo, kTcp, kNone };

  Type type = Type::kDubbo;
  std::chrono::milliseconds interval{2000};  // from the begin of one check to that of the next
  std::chrono::milliseconds timeout{1000};
  unsigned failures = 3;   // in a row, until the provider counts as down
  unsigned successes = 1;  // in a row, until it counts as up

  bool operator==(const HealthCheck&) const = default;
};

// "dubbo", "tcp", "none"
std::string_view name_of(HealthCheck::Type type);
std::optional<HealthCheck::Type> health_check_type(std::string_view name);

}  // namespace skiff::registry
