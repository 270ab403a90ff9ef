#pragma once

#include <array>
#include <string>

#include "registry/executor.h"
#include "registry/paced_log.h"
#include "registry/registry.h"

namespace skiff::registry {

// Counts what was wrong at application level, by way of RegistryEvents, and logs it: one line a
// kind of fault and kFaultLogPause, since one machine may make many. Lives on the control thread.
class ApplicationFaults {
 public:
  // Both must outlive it.
  ApplicationFaults(Executor& executor, RegistryEvents& events)
      : executor_(executor), events_(events) {}

  // `what` is a sentence without an end.
  void report(ApplicationFault fault, const std::string& what);

 private:
  Executor& executor_;
  RegistryEvents& events_;
  std::array<PacedLog, kApplicationFaults> logs_{};
};

}  // namespace skiff::registry
