#include "registry/zookeeper/node_watches.h"

#include <spdlog/spdlog.h>
#include <zookeeper/zookeeper.h>

#include <algorithm>
#include <utility>

#include "registry/limits.h"
#include "registry/zookeeper/zookeeper_error.h"

namespace skiff::registry {
namespace {

std::size_t hash_of(const NodeContent& content) {
  std::string all(1, static_cast<char>(content.state));
  all += content.data;
  for (const std::string& name : content.names) all += name + '/';
  return std::hash<std::string>()(all);
}

}  // namespace

void NodeWatches::start_checks() {
  check_in_turns(pace_, nodes_, executor_, alive_, [this](std::size_t due) { check(due); });
}

void NodeWatches::watch(const std::string& path, Kind kind, bool is_likely, Listener listener) {
  auto [entry, is_new] = nodes_.try_emplace(path);
  Node& node = entry->second;
  node.kind = kind;
  node.listener = std::move(listener);
  node.is_likely = is_likely;
  node.wanted = true;
  node.is_stale = true;
  node.told.reset();
  queue(path, node);
}

void NodeWatches::unwatch(const std::string& path) {
  const auto found = nodes_.find(path);
  if (found == nodes_.end()) return;
  found->second.wanted = false;
  found->second.listener = {};
  queue(path, found->second);
}

void NodeWatches::on_session_up(SessionStart start) {
  if (start != SessionStart::kResumed) under_way_ = 0;
  for (auto& [path, node] : nodes_) {
    node.backoff.reset();
    node.is_stale = true;
    node.is_check = false;
    if (start != SessionStart::kResumed) {
      node.is_busy = false;
      node.may_be_watched = false;
    }
    queue(path, node);
  }
}

void NodeWatches::on_node_changed(const std::string& path, Time at) {
  const auto found = nodes_.find(path);
  if (found == nodes_.end()) return;
  if (!found->second.told_at) found->second.told_at = at;
  found->second.is_stale = true;
  found->second.is_check = false;
  queue(path, found->second);
}

// A server tells of a change before it answers with what came of it. So where a node has changed
// and nothing was told when it is read, nothing will be.
void NodeWatches::check(std::size_t nodes) {
  if (!session_.is_connected()) return;
  for (std::size_t i = 0; i < nodes; ++i) {
    auto& [path, node] = *next_in_turn(nodes_, last_checked_);
    if (!node.wanted || node.is_busy || node.is_stale) continue;
    node.is_check = true;
    read(path, node);
  }
}

void NodeWatches::queue(const std::string& path, Node& node) {
  if (std::exchange(node.is_queued, true)) return;
  queue_.push_back(path);
  work_later();
}

void NodeWatches::queue_after(std::chrono::milliseconds pause, const std::string& path) {
  executor_.post_after(pause, alive_.guard([this, path] {
    if (const auto found = nodes_.find(path); found != nodes_.end()) queue(path, found->second);
  }));
}

void NodeWatches::work_later() {
  if (std::exchange(is_working_soon_, true)) return;
  executor_.post(alive_.guard([this] { work(); }));
}

void NodeWatches::work() {
  is_working_soon_ = false;
  while (!queue_.empty() && under_way_ < readings_at_once_) {
    const std::string path = std::move(queue_.front());
    queue_.pop_front();
    step(path);
  }
}

void NodeWatches::step(const std::string& path) {
  const auto found = nodes_.find(path);
  if (found == nodes_.end()) return;
  Node& node = found->second;
  node.is_queued = false;
  if (node.is_busy) return;
  if (!node.wanted && !node.may_be_watched) {
    nodes_.erase(found);
  } else if (!session_.is_connected()) {
    return;
  } else if (!node.wanted) {
    stop_watching(path, node);
  } else if (node.is_stale) {
    const auto now = executor_.now();
    const auto next = node.read_at ? *node.read_at + kRebuildPause : now;
    if (next <= now) {
      read(path, node);
    } else {
      queue_after(std::chrono::ceil<std::chrono::milliseconds>(next - now), path);
    }
  }
}

void NodeWatches::begin(Node& node) {
  node.is_busy = true;
  ++under_way_;
}

void NodeWatches::end(Node& node) {
  node.is_busy = false;
  --under_way_;
  if (!queue_.empty()) work_later();
}

// A node that is busy is never forgotten, so the callbacks find it when the operation ends.
void NodeWatches::read(const std::string& path, Node& node) {
  node.is_stale = false;
  node.may_be_watched = true;
  node.read_at = executor_.now();
  node.read_for = std::exchange(node.told_at, std::nullopt);
  begin(node);
  if (node.is_likely) {
    read_content(path, node);
  } else {
    await_creation(path, node);
  }
}

void NodeWatches::read_content(const std::string& path, Node& node) {
  auto done = [this, path](const OperationResult& result) {
    Node& known = nodes_.at(path);
    if (result.rc == ZOK) {
      NodeContent content{NodeContent::State::kThere, result.data, result.names};
      std::sort(content.names.begin(), content.names.end());
      on_content(path, known, std::move(content));
    } else if (result.rc == ZNONODE) {
      await_creation(path, known);
    } else {
      on_failed(path, known, result.rc);
    }
  };
  if (node.kind == Kind::kData) {
    session_.read(path, true, std::move(done));
  } else {
    session_.list(path, std::move(done));
  }
}

void NodeWatches::await_creation(const std::string& path, Node& node) {
  node.is_likely = false;
  session_.await_creation(path, [this, path](const OperationResult& result) {
    Node& known = nodes_.at(path);
    if (result.rc == ZNONODE) {
      on_content(path, known, {});
    } else if (result.rc == ZOK) {
      known.is_likely = true;
      read_content(path, known);
    } else {
      on_failed(path, known, result.rc);
    }
  });
}

void NodeWatches::stop_watching(const std::string& path, Node& node) {
  begin(node);
  session_.unwatch(path, [this, path](const OperationResult& /*there may be none any more*/) {
    Node& known = nodes_.at(path);
    known.may_be_watched = false;
    end(known);
    queue(path, known);
  });
}

void NodeWatches::on_content(const std::string& path, Node& node, NodeContent content) {
  node.backoff.reset();
  content.told_at = std::exchange(node.read_for, std::nullopt);
  end(node);
  const bool is_check = std::exchange(node.is_check, false);
  const std::size_t hash = hash_of(content);
  const bool is_news = node.wanted && node.told != hash;
  const bool was_told = std::exchange(node.told, hash).has_value();
  if (!node.wanted || node.is_stale) queue(path, node);
  if (!is_news) return;
  if (is_check && was_told) {
    spdlog::warn("the node {} had changed, and no event told: its watch was deaf", path);
    on_deaf_(path);
  }
  const Listener listener = node.listener;  // which may stop the watch
  listener(content);
}

void NodeWatches::on_failed(const std::string& path, Node& node, int rc) {
  end(node);
  node.is_stale = true;
  node.is_check = false;
  if (node.read_for) node.told_at = std::exchange(node.read_for, std::nullopt);
  const std::chrono::milliseconds pause = node.backoff.next();
  queue_after(pause, path);
  if (is_connection_error(rc)) return;
  const std::string error = zookeeper_error("cannot read " + path, rc).message;
  on_failure_(error + "; trying again in " + std::to_string(pause.count()) + " ms");
  if (!node.wanted) return;
  const Listener listener = node.listener;
  listener({.state = NodeContent::State::kUnreadable, .data = {}, .names = {}, .error = error});
}

}  // namespace skiff::registry
