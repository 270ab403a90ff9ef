#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "registry/alive.h"
#include "registry/application/application_faults.h"
#include "registry/application/metadata_caller.h"
#include "registry/application/metadata_info.h"
#include "registry/application/service_instance.h"
#include "registry/executor.h"
#include "registry/zookeeper/application_paths.h"
#include "registry/zookeeper/backoff.h"
#include "registry/zookeeper/session.h"

namespace skiff::registry {

// What revisions of applications export, read once for all instances and interfaces that need it:
// from the metadata centre, or from one of the instances. What cannot be had is tried again for as
// long as somebody needs it, with another instance where there are several. Lives on the control
// thread.
class ApplicationMetadata {
 public:
  using Info = std::shared_ptr<const MetadataInfo>;
  struct Id {
    std::string application;
    std::string revision;
    // NOLINTNEXTLINE(modernize-use-nullptr): the check takes <=> of texts for a null pointer
    auto operator<=>(const Id&) const = default;
  };
  // One of the instances with that revision, another one each time; empty: there is none.
  using PickInstance = std::function<std::optional<ServiceInstance>(const Id&)>;
  using OnChanged = std::function<void(const Id&)>;

  // All must outlive it. `on_changed` hears of each revision when it is known, or has become
  // settled; never from inside a call.
  ApplicationMetadata(ApplicationPaths paths, Session& session, Executor& executor,
                      MetadataCaller& caller, ApplicationFaults& faults, PickInstance pick,
                      OnChanged on_changed);

  // Somebody needs it, until a release().
  void use(const Id& id);
  void release(const Id& id);
  // Null where it is not known.
  Info find(const Id& id) const;
  // True where it is known, or could not be had at first, or did not come in kMetadataWait.
  bool is_settled(const Id& id) const;
  void on_session_up(SessionStart start);

 private:
  struct Entry {
    std::size_t users = 0;
    Info info;
    bool is_settled = false;
    bool is_busy = false;
    bool is_remote = false;     // what is under way: an operation of the session
    std::uint64_t attempt = 0;  // what was begun before the last one does not count
    Backoff backoff;
  };
  using Entries = std::map<Id, Entry>;

  void attempt(const Id& id);
  void attempt_after(std::chrono::milliseconds pause, const Id& id);
  void read_remote(const Id& id, Entry& entry);
  void call_instance(const Id& id, Entry& entry, const ServiceInstance& instance);
  void on_result(const Id& id, std::uint64_t attempt, Result<MetadataInfo> result);
  void keep(const Id& id, Entry& entry, MetadataInfo info);
  void on_failed(const Id& id, Entry& entry, const Error& error);
  void settle(const Id& id, Entry& entry);

  const ApplicationPaths paths_;
  Session& session_;
  Executor& executor_;
  MetadataCaller& caller_;
  ApplicationFaults& faults_;
  const PickInstance pick_;
  const OnChanged on_changed_;
  Alive alive_;
  Entries entries_;
  std::size_t bytes_kept_ = 0;
};

}  // namespace skiff::registry
