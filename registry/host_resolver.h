#pragma once

#include <functional>
#include <optional>
#include <string>

#include "dubbo/result.h"
#include "registry/control_thread.h"
#include "registry/executor.h"
#include "registry/ip_address.h"

namespace skiff::registry {

// Resolves host names on a thread of its own, which starts with the first name: the resolver may
// block for seconds, and the control thread must not. Lives on the control thread.
class HostResolver {
 public:
  using Callback = std::function<void(Result<IpAddress>)>;

  // `executor` must outlive it.
  explicit HostResolver(Executor& executor) : executor_(executor) {}

  // `done` runs on the executor, never inside this call.
  void resolve(const std::string& host, Callback done);

 private:
  Executor& executor_;
  std::optional<ControlThread> thread_;
};

}  // namespace skiff::registry
