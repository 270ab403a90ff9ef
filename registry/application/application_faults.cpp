#include "registry/application/application_faults.h"

#include <spdlog/spdlog.h>

#include <cstddef>
#include <utility>

#include "registry/limits.h"

namespace skiff::registry {

void ApplicationFaults::report(ApplicationFault fault, const std::string& what) {
  events_.on_application_fault(fault);
  Kind& kind = kinds_[static_cast<std::size_t>(fault)];
  const auto now = executor_.now();
  if (kind.logged_at && now - *kind.logged_at < kFaultLogPause) {
    ++kind.not_logged;
    return;
  }
  kind.logged_at = now;
  const std::uint64_t others = std::exchange(kind.not_logged, 0);
  spdlog::warn("{}{}", what,
               others == 0 ? "" : " (and " + std::to_string(others) + " like it before)");
}

}  // namespace skiff::registry
