#pragma once

#include <cstdint>
#include <map>

#include "registry/alive.h"
#include "registry/control_plane.h"
#include "registry/executor.h"
#include "registry/publications.h"

namespace skiff::registry {

// What inbound requests may be for: the published services, and those whose withdrawal is younger
// than kLocalServiceLinger. Lives on the control thread.
class LocalServices {
 public:
  // Both must outlive it; `sink` hears of every change.
  LocalServices(Executor& executor, ControlPlaneSink& sink) : executor_(executor), sink_(sink) {}

  void add(const PublicationId& id);
  // It is gone from the registries; it lingers unless it is added again.
  void withdraw(const PublicationId& id);

 private:
  void report();

  Executor& executor_;
  ControlPlaneSink& sink_;
  Alive alive_;
  std::uint64_t changes_ = 0;
  std::map<PublicationId, std::uint64_t> services_;  // -> number of its last change
};

}  // namespace skiff::registry
