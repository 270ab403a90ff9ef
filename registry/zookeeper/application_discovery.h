#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "dubbo/url.h"
#include "registry/alive.h"
#include "registry/application/application_faults.h"
#include "registry/application/metadata_caller.h"
#include "registry/application/service_instance.h"
#include "registry/executor.h"
#include "registry/zookeeper/application_metadata.h"
#include "registry/zookeeper/application_paths.h"
#include "registry/zookeeper/node_watches.h"
#include "registry/zookeeper/session.h"

namespace skiff::registry {

// The providers of interfaces that are registered by application, as Dubbo 3 does:
//   <root>/mapping/<interface>               "app-a,app-b" (MetadataServiceNameMapping)
//   <instances>/<application>/<ip:port>      one instance: where it listens, its revision
//   <root>/metadata/<application>/<revision> what that revision exports, or the instance says it
//                                            (ZookeeperMetadataReport, MetadataService)
// An application is watched once, however many interfaces it has. An instance whose new revision
// cannot be read yet keeps the services of its last one; one whose node cannot be read stays as it
// was last known. Lives on the control thread.
class ApplicationDiscovery {
 public:
  // All must outlive it. `on_changed` hears that an interface may have other providers now; never
  // from inside a call.
  ApplicationDiscovery(ApplicationPaths paths, Session& session, Executor& executor,
                       MetadataCaller& caller, ApplicationFaults& faults,
                       std::chrono::milliseconds check_interval,
                       std::function<void(const std::string& path)> on_deaf,
                       std::function<void(const std::string& interface)> on_changed);

  void start_checks() { nodes_.start_checks(); }
  void watch(const std::string& interface);
  void unwatch(const std::string& interface);
  void on_session_up(SessionStart start);
  void on_node_changed(const std::string& path, std::chrono::steady_clock::time_point at) {
    nodes_.on_node_changed(path, at);
  }

  // True where all that can be learned about a watched interface has been, or was waited for.
  bool is_ready(const std::string& interface) const;
  std::vector<dubbo::Url> providers(const std::string& interface) const;

 private:
  struct Instance {
    bool is_known = false;
    std::optional<ServiceInstance> latest;
    ApplicationMetadata::Info
        metadata;  // of its revision, or of its last one while that is unknown
  };
  struct Application {
    std::set<std::string> interfaces;  // that need it
    bool is_known = false;
    std::map<std::string, Instance> instances;  // by the node's name
  };
  struct Interface {
    std::optional<std::vector<std::string>> applications;
  };

  void on_mapping(const std::string& interface, const NodeContent& content);
  void need(const std::string& application, const std::string& interface);
  void no_longer_need(const std::string& application, const std::string& interface);
  void on_instances(const std::string& application, const NodeContent& content);
  void add_instance(const std::string& application, const std::string& name);
  void on_instance(const std::string& application, const std::string& name,
                   const NodeContent& content);
  void set_instance(const std::string& application, Instance& instance,
                    std::optional<ServiceInstance> latest);
  void forget_instance(const std::string& application, const std::string& name);
  std::optional<ServiceInstance> pick_instance(const ApplicationMetadata::Id& id);
  void on_metadata(const ApplicationMetadata::Id& id);
  bool is_ready(const std::string& application, const Instance& instance) const;

  void touch(const std::string& interface);
  void touch_all(const Application& application);
  void report_touched();

  const ApplicationPaths paths_;
  Executor& executor_;
  ApplicationFaults& faults_;
  const std::function<void(const std::string&)> on_changed_;
  Alive alive_;
  NodeWatches nodes_;
  ApplicationMetadata metadata_;
  std::map<std::string, Interface> interfaces_;
  std::map<std::string, Application> applications_;
  std::set<std::string> touched_;
  std::optional<std::chrono::steady_clock::time_point> reported_at_;
  std::size_t picked_ = 0;  // instances so far: each time another one
};

}  // namespace skiff::registry
