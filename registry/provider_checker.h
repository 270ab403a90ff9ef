#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "dubbo/result.h"
#include "registry/executor.h"
#include "registry/health_check.h"

namespace skiff::registry {

// What is checked: a local port. Publications that agree on all of it share the checks.
struct CheckTarget {
  std::uint16_t port = 0;
  HealthCheck::Type type = HealthCheck::Type::kDubbo;
  std::chrono::milliseconds interval{};
  std::chrono::milliseconds timeout{};

  // NOLINTNEXTLINE(modernize-use-nullptr): the check takes <=> of numbers for a null pointer
  auto operator<=>(const CheckTarget&) const = default;
};

struct CheckResult {
  // kNotMade: for a reason of ours, such as no descriptor left; it says nothing about the provider.
  enum class Outcome { kPassed, kFailed, kNotMade };

  CheckTarget target;
  Outcome outcome = Outcome::kPassed;
  std::string error;  // to follow "the provider at ... "
  std::chrono::steady_clock::time_point at;
};

class CheckEvents {
 public:
  virtual ~CheckEvents() = default;
  // On the control thread. May still tell of a target that is not watched any more.
  virtual void on_check_results(const std::vector<CheckResult>& results) = 0;
};

// Checks providers again and again. Calls come from the control thread and return at once.
class ProviderChecker {
 public:
  virtual ~ProviderChecker() = default;
  // Checks at once, then every interval. Where it is watched already, the next check is made now.
  virtual void watch(const CheckTarget& target) = 0;
  virtual void unwatch(const CheckTarget& target) = 0;
};

// Both must outlive the checker.
using CheckerFactory =
    std::function<Result<std::unique_ptr<ProviderChecker>>(Executor&, CheckEvents&)>;

// The one that connects to `host`, on one thread of its own. Fails with kInvalidArgument where that
// is no numeric address, and with kUnavailable where the kernel gives no descriptors.
CheckerFactory socket_checker(const std::string& host);

}  // namespace skiff::registry
