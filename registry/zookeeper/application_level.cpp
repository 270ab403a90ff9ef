#include "registry/zookeeper/application_level.h"

#include <utility>

#include "registry/application/provider_urls.h"

namespace skiff::registry {

ApplicationLevel::ApplicationLevel(ApplicationPaths paths, Session& session, Executor& executor,
                                   RegistryEvents& events, std::chrono::milliseconds check_interval,
                                   ReportAgain report_again)
    : events_(events),
      report_again_(std::move(report_again)),
      faults_(executor, events),
      caller_(executor),
      discovery_(
          std::move(paths), session, executor, caller_, faults_, check_interval,
          [this](const std::string& path) { events_.on_deaf_watch_found(path); },
          [this](const std::string& interface) { on_applications_changed(interface); }) {}

void ApplicationLevel::watch(const std::string& interface) {
  interfaces_.try_emplace(interface);
  discovery_.watch(interface);
}

void ApplicationLevel::unwatch(const std::string& interface) {
  interfaces_.erase(interface);
  discovery_.unwatch(interface);
}

void ApplicationLevel::on_applications_changed(const std::string& interface) {
  const auto found = interfaces_.find(interface);
  if (found == interfaces_.end()) return;
  Interface& known = found->second;
  if (!known.is_ready) {
    const auto first_list = std::exchange(known.first_list, std::nullopt);
    if (first_list) on_providers(interface, *first_list);
  } else if (known.has_providers || !discovery_.providers(interface).empty()) {
    report_again_(interface);
  }
}

void ApplicationLevel::on_providers(const std::string& interface,
                                    const std::vector<dubbo::Url>& providers) {
  const auto found = interfaces_.find(interface);
  if (found == interfaces_.end()) return;
  Interface& known = found->second;
  known.is_ready = known.is_ready || discovery_.is_ready(interface);
  if (!known.is_ready) {
    known.first_list = providers;
    return;
  }
  known.first_list.reset();
  std::vector<dubbo::Url> of_applications = discovery_.providers(interface);
  known.has_providers = !of_applications.empty();
  if (known.has_providers) {
    events_.on_providers(interface, merge_levels(providers, std::move(of_applications)));
  } else {
    events_.on_providers(interface, providers);
  }
}

// The rest is passed on as it is.

void ApplicationLevel::on_connection(bool connected, const std::string& detail) {
  events_.on_connection(connected, detail);
}

void ApplicationLevel::on_registered(const dubbo::Url& url) { events_.on_registered(url); }

void ApplicationLevel::on_register_failed(const dubbo::Url& url, const Error& error) {
  events_.on_register_failed(url, error);
}

void ApplicationLevel::on_unregistered(const dubbo::Url& url) { events_.on_unregistered(url); }

void ApplicationLevel::on_unregister_failed(const dubbo::Url& url, const Error& error) {
  events_.on_unregister_failed(url, error);
}

void ApplicationLevel::on_list_failed(const std::string& interface, const Error& error) {
  events_.on_list_failed(interface, error);
}

void ApplicationLevel::on_change_told(const std::string& interface,
                                      std::chrono::steady_clock::time_point at) {
  events_.on_change_told(interface, at);
}

void ApplicationLevel::on_deaf_watch_found(const std::string& interface) {
  events_.on_deaf_watch_found(interface);
}

void ApplicationLevel::on_lost_node_found(const dubbo::Url& url) {
  events_.on_lost_node_found(url);
}

void ApplicationLevel::on_session_lost() { events_.on_session_lost(); }

void ApplicationLevel::on_application_fault(ApplicationFault fault) {
  events_.on_application_fault(fault);
}

}  // namespace skiff::registry
