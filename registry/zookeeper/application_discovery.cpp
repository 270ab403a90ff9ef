#include "registry/zookeeper/application_discovery.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "registry/application/application_names.h"
#include "registry/application/provider_urls.h"
#include "registry/limits.h"

namespace skiff::registry {
namespace {

// Dubbo's instances are named "ip:port" (CuratorFrameworkUtils.generateId). Where they share their
// folder with Dubbo's tree, other nodes stand there, too, which are watched for other ends.
bool is_instance_name(std::string_view name) { return name.find(':') != std::string_view::npos; }

}  // namespace

ApplicationDiscovery::ApplicationDiscovery(
    ApplicationPaths paths, Session& session, Executor& executor, MetadataCaller& caller,
    ApplicationFaults& faults, std::chrono::milliseconds check_interval,
    std::function<void(const std::string& path)> on_deaf,
    std::function<void(const std::string& interface)> on_changed)
    : paths_(std::move(paths)),
      executor_(executor),
      faults_(faults),
      on_changed_(std::move(on_changed)),
      nodes_(
          session, executor, check_interval, kMaxNodeReadingsUnderWay,
          [this](const std::string& sentence) {
            faults_.report(ApplicationFault::kUnanswered, sentence);
          },
          std::move(on_deaf)),
      metadata_(
          paths_, session, executor, caller, faults,
          [this](const ApplicationMetadata::Id& id) { return pick_instance(id); },
          [this](const ApplicationMetadata::Id& id) { on_metadata(id); }) {}

void ApplicationDiscovery::watch(const std::string& interface) {
  auto [found, is_new] = interfaces_.try_emplace(interface);
  if (!is_new) return;
  if (!is_path_part(interface) || is_instance_name(interface)) {  // nobody can have mapped it
    found->second.applications.emplace();
    touch(interface);
    return;
  }
  nodes_.watch(paths_.mapping(interface), NodeWatches::Kind::kData, false,
               [this, interface](const NodeContent& content) { on_mapping(interface, content); });
}

void ApplicationDiscovery::unwatch(const std::string& interface) {
  const auto found = interfaces_.find(interface);
  if (found == interfaces_.end()) return;
  nodes_.unwatch(paths_.mapping(interface));
  const auto applications = std::move(found->second.applications);
  interfaces_.erase(found);
  touched_.erase(interface);
  for (const std::string& application : applications.value_or(std::vector<std::string>())) {
    no_longer_need(application, interface);
  }
}

void ApplicationDiscovery::on_session_up(SessionStart start) {
  nodes_.on_session_up(start);
  metadata_.on_session_up(start);
}

void ApplicationDiscovery::on_mapping(const std::string& interface, const NodeContent& content) {
  auto& applications = interfaces_.at(interface).applications;
  if (content.state == NodeContent::State::kUnreadable && applications) return;
  std::vector<std::string> now = parse_application_names(content.data);
  const std::vector<std::string> before =
      std::exchange(applications, now).value_or(std::vector<std::string>());
  for (const std::string& application : now) need(application, interface);
  for (const std::string& application : before) {
    if (!std::binary_search(now.begin(), now.end(), application)) {
      no_longer_need(application, interface);
    }
  }
  touch(interface);
}

void ApplicationDiscovery::need(const std::string& application, const std::string& interface) {
  auto [found, is_new] = applications_.try_emplace(application);
  found->second.interfaces.insert(interface);
  if (!is_new) return;
  nodes_.watch(
      paths_.application(application), NodeWatches::Kind::kChildren, true,
      [this, application](const NodeContent& content) { on_instances(application, content); });
}

void ApplicationDiscovery::no_longer_need(const std::string& application,
                                          const std::string& interface) {
  const auto found = applications_.find(application);
  if (found == applications_.end()) return;
  found->second.interfaces.erase(interface);
  if (!found->second.interfaces.empty()) return;
  nodes_.unwatch(paths_.application(application));
  while (!found->second.instances.empty()) {
    forget_instance(application, std::string(found->second.instances.begin()->first));
  }
  applications_.erase(found);
}

void ApplicationDiscovery::on_instances(const std::string& application,
                                        const NodeContent& content) {
  Application& known = applications_.at(application);
  known.is_known = true;
  touch_all(known);
  if (content.state == NodeContent::State::kUnreadable) return;
  std::vector<std::string> gone;
  for (const auto& [name, instance] : known.instances) {
    if (!std::binary_search(content.names.begin(), content.names.end(), name)) {
      gone.push_back(name);
    }
  }
  for (const std::string& name : gone) forget_instance(application, name);
  for (const std::string& name : content.names) {
    if (!is_instance_name(name) || known.instances.contains(name)) continue;
    if (known.instances.size() == kMaxInstancesOfApplication) {
      faults_.report(ApplicationFault::kLimit,
                     std::to_string(content.names.size()) + " instances of application " +
                         application + " are registered: those over the limit of " +
                         std::to_string(kMaxInstancesOfApplication) + " are left out");
      break;
    }
    add_instance(application, name);
  }
}

void ApplicationDiscovery::add_instance(const std::string& application, const std::string& name) {
  applications_.at(application).instances.try_emplace(name);
  nodes_.watch(paths_.instance(application, name), NodeWatches::Kind::kData, true,
               [this, application, name](const NodeContent& content) {
                 on_instance(application, name, content);
               });
}

void ApplicationDiscovery::on_instance(const std::string& application, const std::string& name,
                                       const NodeContent& content) {
  Application& known = applications_.at(application);
  Instance& instance = known.instances.at(name);
  const bool was_known = std::exchange(instance.is_known, true);
  if (content.state == NodeContent::State::kMissing) {
    set_instance(application, instance, std::nullopt);
  } else if (content.state == NodeContent::State::kThere) {
    if (auto parsed = parse_service_instance(content.data)) {
      set_instance(application, instance, std::move(*parsed));
    } else {
      faults_.report(ApplicationFault::kInstance,
                     "an instance of application " + application + ", " + name + ", " +
                         (was_known ? "stays as it was" : "is left out") +
                         ", its node cannot be read: " + parsed.error().message);
    }
  }
  touch_all(known);
}

void ApplicationDiscovery::set_instance(const std::string& application, Instance& instance,
                                        std::optional<ServiceInstance> latest) {
  const auto before = std::exchange(instance.latest, std::move(latest));
  if (instance.latest && !instance.latest->revision.empty()) {
    const ApplicationMetadata::Id id{application, instance.latest->revision};
    metadata_.use(id);
    if (auto info = metadata_.find(id)) instance.metadata = std::move(info);
  } else {
    instance.metadata = nullptr;
  }
  if (before && !before->revision.empty()) metadata_.release({application, before->revision});
}

void ApplicationDiscovery::forget_instance(const std::string& application,
                                           const std::string& name) {
  auto& instances = applications_.at(application).instances;
  const auto found = instances.find(name);
  set_instance(application, found->second, std::nullopt);
  nodes_.unwatch(paths_.instance(application, name));
  instances.erase(found);
}

std::optional<ServiceInstance> ApplicationDiscovery::pick_instance(
    const ApplicationMetadata::Id& id) {
  const auto application = applications_.find(id.application);
  if (application == applications_.end()) return std::nullopt;
  std::vector<const ServiceInstance*> candidates;
  for (const auto& [name, instance] : application->second.instances) {
    if (instance.latest && instance.latest->revision == id.revision) {
      candidates.push_back(&*instance.latest);
    }
  }
  if (candidates.empty()) return std::nullopt;
  return *candidates[picked_++ % candidates.size()];
}

void ApplicationDiscovery::on_metadata(const ApplicationMetadata::Id& id) {
  const auto application = applications_.find(id.application);
  if (application == applications_.end()) return;
  if (const auto info = metadata_.find(id)) {
    for (auto& [name, instance] : application->second.instances) {
      if (instance.latest && instance.latest->revision == id.revision) instance.metadata = info;
    }
  }
  touch_all(application->second);
}

bool ApplicationDiscovery::is_ready(const std::string& application,
                                    const Instance& instance) const {
  if (!instance.is_known) return false;
  return !instance.latest || instance.latest->revision.empty() ||
         metadata_.is_settled({application, instance.latest->revision});
}

bool ApplicationDiscovery::is_ready(const std::string& interface) const {
  const auto found = interfaces_.find(interface);
  if (found == interfaces_.end() || !found->second.applications) return false;
  for (const std::string& name : *found->second.applications) {
    const Application& application = applications_.at(name);
    if (!application.is_known) return false;
    for (const auto& [node, instance] : application.instances) {
      if (!is_ready(name, instance)) return false;
    }
  }
  return true;
}

std::vector<dubbo::Url> ApplicationDiscovery::providers(const std::string& interface) const {
  std::vector<dubbo::Url> urls;
  const auto found = interfaces_.find(interface);
  if (found == interfaces_.end() || !found->second.applications) return urls;
  for (const std::string& name : *found->second.applications) {
    for (const auto& [node, instance] : applications_.at(name).instances) {
      if (!instance.latest || !instance.metadata) continue;
      for (const ServiceInfo& service : instance.metadata->services_of(interface)) {
        urls.push_back(provider_url(name, *instance.latest, service));
        if (urls.size() == kMaxProvidersPerInterface) return urls;
      }
    }
  }
  return urls;
}

void ApplicationDiscovery::touch(const std::string& interface) {
  const bool is_planned = !touched_.empty();
  touched_.insert(interface);
  if (is_planned) return;
  const auto now = executor_.now();
  const auto next = reported_at_ ? *reported_at_ + kRebuildPause : now;
  executor_.post_after(std::max(std::chrono::ceil<std::chrono::milliseconds>(next - now),
                                std::chrono::milliseconds(0)),
                       alive_.guard([this] { report_touched(); }));
}

void ApplicationDiscovery::touch_all(const Application& application) {
  for (const std::string& interface : application.interfaces) touch(interface);
}

void ApplicationDiscovery::report_touched() {
  reported_at_ = executor_.now();
  const std::set<std::string> touched = std::exchange(touched_, {});
  for (const std::string& interface : touched) {
    if (interfaces_.contains(interface)) on_changed_(interface);
  }
}

}  // namespace skiff::registry
