#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "dubbo/url.h"
#include "registry/application/application_faults.h"
#include "registry/application/metadata_client.h"
#include "registry/executor.h"
#include "registry/registry.h"
#include "registry/zookeeper/application_discovery.h"
#include "registry/zookeeper/session.h"

namespace skiff::registry {

// Adds what is registered by application to each interface's list. It stands between the watches of
// lists and who hears of them: takes the lists at interface level, holds a first one back until the
// application level is known too (or was waited for), and passes the merged one on. Keeps no
// other list: where the application level changes, the one at interface level is read again. Lives
// on the control thread.
class ApplicationLevel final : public RegistryEvents {
 public:
  // Has the list at interface level read and reported to on_providers() again.
  using ReportAgain = std::function<void(const std::string& interface)>;

  // All must outlive it.
  ApplicationLevel(ApplicationPaths paths, Session& session, Executor& executor,
                   RegistryEvents& events, std::chrono::milliseconds check_interval,
                   ReportAgain report_again);

  void start_checks() { discovery_.start_checks(); }
  void watch(const std::string& interface);
  void unwatch(const std::string& interface);
  void on_session_up(SessionStart start) { discovery_.on_session_up(start); }
  void on_node_changed(const std::string& path, std::chrono::steady_clock::time_point at) {
    discovery_.on_node_changed(path, at);
  }

 private:
  struct Interface {
    bool is_ready = false;       // its lists are passed on
    bool has_providers = false;  // at application level, in the list passed on last
    std::optional<std::vector<dubbo::Url>> first_list;  // held back
  };

  void on_applications_changed(const std::string& interface);

  void on_connection(bool connected, const std::string& detail) override;
  void on_registered(const dubbo::Url& url) override;
  void on_register_failed(const dubbo::Url& url, const Error& error) override;
  void on_unregister_failed(const dubbo::Url& url, const Error& error) override;
  void on_list_failed(const std::string& interface, const Error& error) override;
  void on_unregistered(const dubbo::Url& url) override;
  void on_providers(const std::string& interface,
                    const std::vector<dubbo::Url>& providers) override;
  void on_change_told(const std::string& interface,
                      std::chrono::steady_clock::time_point at) override;
  void on_deaf_watch_found(const std::string& interface) override;
  void on_lost_node_found(const dubbo::Url& url) override;
  void on_session_lost() override;
  void on_application_fault(ApplicationFault fault) override;

  RegistryEvents& events_;
  const ReportAgain report_again_;
  ApplicationFaults faults_;
  MetadataClient caller_;
  std::map<std::string, Interface> interfaces_;
  ApplicationDiscovery discovery_;
};

}  // namespace skiff::registry
