#include "registry/application/application_faults.h"

#include <cstddef>

namespace skiff::registry {

void ApplicationFaults::report(ApplicationFault fault, const std::string& what) {
  events_.on_application_fault(fault);
  logs_[static_cast<std::size_t>(fault)].warn(what, executor_.now());
}

}  // namespace skiff::registry
