#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "dubbo/url.h"
#include "registry/alive.h"
#include "registry/application/application_faults.h"
#include "registry/application/application_texts.h"
#include "registry/executor.h"
#include "registry/registry.h"
#include "registry/zookeeper/application_paths.h"
#include "registry/zookeeper/kept_nodes.h"
#include "registry/zookeeper/session.h"
#include "registry/zookeeper/write_queue.h"

namespace skiff::registry {

// Registers what stands at interface level by application, too, as Dubbo 3 does. The providers of
// one application at one address make one instance:
//   <root>/metadata/<application>/<revision> what it exports (ZookeeperMetadataReport)
//   <instances>/<application>/<ip:port>      ephemeral: where it listens, which revision it has
//   <root>/mapping/<interface>               names the application, beside others
//                                            (MetadataServiceNameMapping)
// The instance is written, or set in place, when the metadata of its revision are there, and not
// before; it is deleted with its last provider. Metadata and mappings stay, as with Dubbo: others
// may use the same revision, which depends on nothing but what is exported. Where metadata would be
// larger than a node may be, the application has no instance.
//
// Switched off, it only deletes the instances that an earlier process left in the session that this
// one takes up.
//
// Changes wait for kApplicationPause of quiet, kLongestApplicationPause at most: each revision is a
// node for ever. Only the last provider's end is written at once. Lives on the control thread.
class ApplicationRegistration {
 public:
  // All must outlive it.
  ApplicationRegistration(bool is_on, ApplicationPaths paths, Session& session, Executor& executor,
                          WriteQueue& queue, RegistryEvents& events,
                          std::chrono::milliseconds check_interval);

  // Before any keep() or drop() of what that process wrote.
  void on_session_inherited() { is_inheriting_ = true; }
  void start_checks() { nodes_.start_checks(); }
  // Of providers; other URLs are of no interest. An application whose name cannot be a node's is
  // reported and left out.
  void want(const dubbo::Url& url);
  // The same for what an earlier process wrote.
  void keep(const dubbo::Url& url) { is_on_ ? want(url) : drop(url); }
  // Of what this process wanted, the instance is deleted before what the caller deletes next
  // through the same WriteQueue. Of what only an earlier one did, within kLongestApplicationPause:
  // others of the same instance may follow.
  void drop(const dubbo::Url& url);
  void on_session_up(SessionStart start);

 private:
  using Time = std::chrono::steady_clock::time_point;

  struct InstanceId {
    std::string application;
    std::string host;
    std::uint16_t port = 0;

    static InstanceId of(const dubbo::Url& url);
    auto operator<=>(const InstanceId&) const = default;  // NOLINT(modernize-use-nullptr)
  };
  struct Instance {
    ProviderUrls urls;
    std::string metadata_path;  // of its revision; "": it is not written
    std::string text;           // of its node
  };

  std::string instance_path(const InstanceId& id) const;
  void touch(const InstanceId& id);
  void work_later();
  void work();
  void update(const InstanceId& id);
  void put(const InstanceId& id, Instance& instance);
  void end(const InstanceId& id, Instance& instance);
  void leave_metadata(Instance& instance);
  void on_metadata_kept(const std::string& path);
  void update_mappings();

  const bool is_on_;
  bool is_inheriting_ = false;
  const ApplicationPaths paths_;
  Executor& executor_;
  Alive alive_;
  ApplicationFaults faults_;
  KeptNodes nodes_;
  std::map<InstanceId, Instance> instances_;
  std::map<std::string, std::set<std::string>> mapped_;  // applications by interface
  std::set<InstanceId> touched_;
  Time first_touched_at_;
  Time last_touched_at_;
  bool is_work_posted_ = false;
};

}  // namespace skiff::registry
