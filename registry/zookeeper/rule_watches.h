#pragma once

#include <chrono>
#include <string>

#include "registry/executor.h"
#include "registry/limits.h"
#include "registry/paced_log.h"
#include "registry/registry.h"
#include "registry/zookeeper/node_watches.h"
#include "registry/zookeeper/rule_document_watches.h"
#include "registry/zookeeper/rule_url_watches.h"
#include "registry/zookeeper/session.h"

namespace skiff::registry {

// The governance rules that a ZooKeeper registry holds, of both kinds, kept up to date as lists are
// (NodeWatches). Lives on the control thread.
class RuleWatches {
 public:
  // All must outlive it. `root` is the folder of Dubbo's tree.
  RuleWatches(const std::string& root, Session& session, Executor& executor, RegistryEvents& events,
              std::chrono::milliseconds check_interval)
      : nodes_(
            session, executor, check_interval, kRulesReadAtOnce,
            [this, &executor](const std::string& why) { log_.warn(why, executor.now()); },
            [&events](const std::string& path) { events.on_deaf_watch_found(path); }),
        urls_(root, nodes_, executor, events),
        documents_(root, nodes_, executor, events) {}

  void start_checks() { nodes_.start_checks(); }
  void watch(const RuleSubject& subject) {
    if (subject.kind == RuleSubject::Kind::kInterface) return urls_.watch(subject.name);
    documents_.watch(subject.name);
  }
  void unwatch(const RuleSubject& subject) {
    if (subject.kind == RuleSubject::Kind::kInterface) return urls_.unwatch(subject.name);
    documents_.unwatch(subject.name);
  }
  void on_session_up(SessionStart start) { nodes_.on_session_up(start); }
  void on_node_changed(const std::string& path, std::chrono::steady_clock::time_point at) {
    nodes_.on_node_changed(path, at);
  }

 private:
  PacedLog log_;
  NodeWatches nodes_;
  RuleUrlWatches urls_;
  RuleDocumentWatches documents_;
};

}  // namespace skiff::registry
