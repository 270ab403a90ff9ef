#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "registry/alive.h"
#include "registry/control_plane.h"
#include "registry/executor.h"
#include "registry/publications.h"

namespace skiff::registry {

// What inbound requests may be for: the published services, and those whose withdrawal is younger
// than kLocalServiceLinger. Lives on the control thread.
class LocalServices {
 public:
  // Both must outlive it; `sink` hears of changes, those of one task together.
  LocalServices(Executor& executor, ControlPlaneSink& sink) : executor_(executor), sink_(sink) {}

  void add(const PublicationId& id);
  // Why its provider serves nobody; empty where it serves.
  void set_down(const PublicationId& id, const std::string& why);
  void set_leaving(const PublicationId& id, bool leaving);
  // It is gone from the registries; it lingers unless it is added again.
  void withdraw(const PublicationId& id);

 private:
  struct Entry {
    std::uint64_t last_change = 0;  // its number
    std::string down;
    bool leaving = false;
  };

  void report_later();

  Executor& executor_;
  ControlPlaneSink& sink_;
  Alive alive_;
  bool will_report_ = false;
  std::uint64_t changes_ = 0;
  std::map<PublicationId, Entry> services_;
};

}  // namespace skiff::registry
