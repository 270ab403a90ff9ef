#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "registry/alive.h"
#include "registry/directory.h"
#include "registry/executor.h"

namespace skiff::registry {

// Interfaces that are watched because a request on the outbound port asked for them. One whose list
// stays empty is dropped kOnDemandExpiry after it was last asked for; so names that nobody provides
// do not pile up. Lives on the control thread.
class OnDemandWatches {
 public:
  // Both must outlive it.
  OnDemandWatches(Executor& executor, Directory& directory)
      : executor_(executor), directory_(directory) {}

  // Watches in `links` what nobody watches yet, and has the directory report again what somebody
  // does. Over kMaxOnDemandServices, and for what no interface can be called, it only logs.
  void need(const std::string& interface, const std::vector<RegistryLink*>& links);
  std::vector<SubscriptionStatus> status() const;
  // Adds what status() would tell.
  void count(SubscriptionCounts& counts) const;

 private:
  struct Watch {
    std::vector<RegistryLink*> links;
    bool asked_again = false;  // since the last look at whether it is used
  };

  void look_again_later(const std::string& interface);
  void drop_if_unused(const std::string& interface);

  Executor& executor_;
  Directory& directory_;
  Alive alive_;
  bool said_full_ = false;
  std::map<std::string, Watch> watches_;
};

}  // namespace skiff::registry
