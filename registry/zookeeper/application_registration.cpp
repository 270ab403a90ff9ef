#include "registry/zookeeper/application_registration.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "registry/application/application_names.h"
#include "registry/application/metadata_info.h"
#include "registry/application/service_instance.h"
#include "registry/limits.h"

namespace skiff::registry {
namespace {

// A node's data as it has to be, to the byte.
auto exactly(const std::string& text) {
  return [text](const std::string& found) -> std::optional<std::string> {
    return found == text ? std::nullopt : std::optional(text);
  };
}

// Metadata of `revision` that say the same: those who share a revision may write them otherwise.
auto equivalent(const std::string& text, const std::string& revision) {
  return [text, revision](const std::string& found) -> std::optional<std::string> {
    if (found == text) return std::nullopt;
    const auto theirs = parse_metadata_json(found, revision);
    const auto ours = parse_metadata_json(text, revision);
    if (theirs && ours && theirs->services() == ours->services()) return std::nullopt;
    return text;
  };
}

auto naming(const std::set<std::string>& applications) {
  return [applications](const std::string& found) -> std::optional<std::string> {
    std::optional<std::string> content;
    for (const std::string& application : applications) {
      auto longer = with_application(content.value_or(found), application);
      if (longer) content = std::move(longer);
    }
    return content;
  };
}

}  // namespace

ApplicationRegistration::InstanceId ApplicationRegistration::InstanceId::of(const dubbo::Url& url) {
  return {std::string(url.parameter("application")), url.host, url.port};
}

ApplicationRegistration::ApplicationRegistration(bool is_on, ApplicationPaths paths,
                                                 Session& session, Executor& executor,
                                                 WriteQueue& queue, RegistryEvents& events,
                                                 std::chrono::milliseconds check_interval)
    : is_on_(is_on),
      paths_(std::move(paths)),
      executor_(executor),
      faults_(executor, events),
      nodes_(session, executor, queue, faults_, check_interval,
             [&events] { events.on_lost_node_found({}); }) {}

std::string ApplicationRegistration::instance_path(const InstanceId& id) const {
  return paths_.instance(id.application, ServiceInstance::node_name(id.host, id.port));
}

void ApplicationRegistration::want(const dubbo::Url& url) {
  if (!is_on_ || url.protocol != "dubbo") return;
  InstanceId id = InstanceId::of(url);
  if (!is_application_name(id.application)) {
    faults_.report(ApplicationFault::kUnwritten,
                   "application \"" + id.application +
                       "\" is registered by interface only: its name cannot be that of a node");
    return;
  }
  if (instances_[id].urls.emplace(url.to_string(), url).second) touch(id);
}

void ApplicationRegistration::drop(const dubbo::Url& url) {
  if (!is_on_ && !is_inheriting_) return;
  const InstanceId id = InstanceId::of(url);
  if (url.protocol != "dubbo" || !is_application_name(id.application)) return;
  Instance& instance = instances_[id];
  const bool was_there = instance.urls.erase(url.to_string()) != 0;
  if (was_there && instance.urls.empty()) end(id, instance);
  touch(id);
}

// Of a new session, instances wait until their metadata have been looked at again.
void ApplicationRegistration::on_session_up(SessionStart start) {
  if (start == SessionStart::kNew) {
    for (auto& [id, instance] : instances_) {
      if (instance.urls.empty()) continue;
      nodes_.forget(instance_path(id));
      leave_metadata(instance);
      touch(id);
    }
  }
  nodes_.on_session_up(start);
}

void ApplicationRegistration::touch(const InstanceId& id) {
  last_touched_at_ = executor_.now();
  if (touched_.empty()) first_touched_at_ = last_touched_at_;
  touched_.insert(id);
  work_later();
}

void ApplicationRegistration::work_later() {
  if (std::exchange(is_work_posted_, true)) return;
  const Time due =
      std::min(last_touched_at_ + kApplicationPause, first_touched_at_ + kLongestApplicationPause);
  const auto pause = std::chrono::ceil<std::chrono::milliseconds>(due - executor_.now());
  executor_.post_after(pause, alive_.guard([this, due] {
    is_work_posted_ = false;
    const bool is_quiet = last_touched_at_ + kApplicationPause <= due;
    if (is_quiet || first_touched_at_ + kLongestApplicationPause <= due) {
      work();
    } else {
      work_later();
    }
  }));
}

void ApplicationRegistration::work() {
  for (const InstanceId& id : std::exchange(touched_, {})) update(id);
  update_mappings();
}

void ApplicationRegistration::update(const InstanceId& id) {
  Instance& instance = instances_.at(id);
  if (!instance.urls.empty()) {
    put(id, instance);
    return;
  }
  end(id, instance);
  instances_.erase(id);
}

void ApplicationRegistration::end(const InstanceId& id, Instance& instance) {
  nodes_.remove(instance_path(id));
  leave_metadata(instance);
}

void ApplicationRegistration::put(const InstanceId& id, Instance& instance) {
  const ApplicationTexts texts = application_texts(id.application, instance.urls);
  std::string path = paths_.metadata(id.application, texts.revision);
  if (path == instance.metadata_path && texts.instance == instance.text) return;
  if (path != instance.metadata_path) leave_metadata(instance);
  if (texts.metadata.size() > kMaxNodeBytes) {
    faults_.report(ApplicationFault::kLimit,
                   "application " + id.application + " is registered by interface only: " + path +
                       " would hold " + std::to_string(texts.metadata.size()) +
                       " bytes, the limit is " + std::to_string(kMaxNodeBytes));
    nodes_.remove(instance_path(id));
    return;
  }
  instance.metadata_path = path;
  instance.text = texts.instance;
  nodes_.keep(path, {.content = equivalent(texts.metadata, texts.revision),
                     .on_kept = [this, path] { on_metadata_kept(path); }});
}

// The node stays.
void ApplicationRegistration::leave_metadata(Instance& instance) {
  const std::string path = std::exchange(instance.metadata_path, {});
  const bool is_used =
      std::any_of(instances_.begin(), instances_.end(),
                  [&path](const auto& entry) { return entry.second.metadata_path == path; });
  if (!is_used) nodes_.forget(path);
}

void ApplicationRegistration::on_metadata_kept(const std::string& path) {
  for (const auto& [id, instance] : instances_) {
    if (instance.metadata_path != path || instance.urls.empty()) continue;
    nodes_.keep(instance_path(id),
                {.is_ephemeral = true, .content = exactly(instance.text), .on_kept = {}});
  }
}

void ApplicationRegistration::update_mappings() {
  std::map<std::string, std::set<std::string>> now;
  for (const auto& [id, instance] : instances_) {
    for (const auto& [text, url] : instance.urls) {
      now[url.service_key().interface].insert(id.application);
    }
  }
  for (const auto& [interface, applications] : now) {
    const auto before = mapped_.find(interface);
    if (before != mapped_.end() && before->second == applications) continue;
    nodes_.keep(paths_.mapping(interface), {.rank = WriteQueue::Rank::kConsumer,
                                            .max_bytes = kMaxMappingBytes,
                                            .content = naming(applications),
                                            .on_kept = {}});
  }
  for (const auto& [interface, applications] : mapped_) {
    if (!now.contains(interface)) nodes_.forget(paths_.mapping(interface));
  }
  mapped_ = std::move(now);
}

}  // namespace skiff::registry
