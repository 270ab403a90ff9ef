#include "registry/zookeeper/owned_nodes.h"

#include <spdlog/spdlog.h>
#include <zookeeper/zookeeper.h>

#include <string_view>
#include <utility>

#include "registry/url_stamps.h"
#include "registry/zookeeper/folders.h"
#include "registry/zookeeper/node_age.h"
#include "registry/zookeeper/zookeeper_error.h"

namespace skiff::registry {
namespace {

// Another session that keeps writing our node must not keep us busy without a pause.
constexpr int kMaxConflicts = 3;

constexpr std::string_view kConsumers = "/consumers/";
constexpr std::string_view kProviders = "/providers/";

// A node's name says all; what is asked for once in a while is not kept beside it. Each name was
// made of a URL, none of which is longer than what can be read again (kMaxRegisteredUrlBytes).
dubbo::Url url_of(const std::string& path) {
  return dubbo::Url::parse_node_name(std::string_view(path).substr(path.rfind('/') + 1))
      .value_or(dubbo::Url());
}

bool is_consumer(std::string_view path) {
  return path.substr(0, path.rfind('/') + 1).ends_with(kConsumers);
}

}  // namespace

std::string OwnedNodes::path_of(const dubbo::Url& url) const {
  return root_ + "/" + dubbo::url_encode(url.service_key().interface) +
         std::string(url.protocol == "consumer" ? kConsumers : kProviders) + url.to_node_name();
}

OwnedNodes::Node& OwnedNodes::want(const dubbo::Url& url, State state_if_new) {
  const std::string path = path_of(url);
  auto [entry, is_new] = nodes_.try_emplace(path);
  Node& node = entry->second;
  if (is_new) node.state = state_if_new;
  node.wanted = true;
  node.owes_report = true;
  step_later(path);
  return node;
}

void OwnedNodes::want_successor(const dubbo::Url& url) {
  want(url, State::kAbsent).is_successor = true;
}

std::string OwnedNodes::data_of(const std::string& path, const Node& node) {
  const dubbo::Url url = url_of(path);
  return node.is_successor ? node_data(url.host, UrlStamps::age_of(url)) : url.host;
}

void OwnedNodes::drop(const dubbo::Url& url) {
  const std::string path = path_of(url);
  Node& node = nodes_[path];
  node.wanted = false;
  node.backoff.reset();
  step_later(path);
}

void OwnedNodes::on_session_up(SessionStart start) {
  const bool is_first = !std::exchange(had_session_, true);
  if (start == SessionStart::kNew) queue_.spread(nodes_.size());
  if (start == SessionStart::kNew && !is_first) {
    spdlog::warn("the session was lost, and with it the nodes of {} URLs; writing them again",
                 nodes_.size());
    events_.on_session_lost();
  }
  for (auto& [path, node] : nodes_) {
    node.backoff.reset();
    if (start != SessionStart::kResumed && std::exchange(node.is_busy, false)) {
      node.state = State::kUnknown;
    }
    if (start == SessionStart::kNew && node.state == State::kPresent) {
      node.state = State::kUnknown;
      node.owes_report = true;
      if (node.wanted) {
        events_.on_register_failed(
            url_of(path), {ErrorCode::kUnavailable, "the session was lost; writing it again"});
      }
    }
    step_later(path);
  }
}

// Later, because results are never reported from inside a call.
void OwnedNodes::step_later(const std::string& path) {
  executor_.post(alive_.guard([this, path] { step(path); }));
}

void OwnedNodes::step(const std::string& path) {
  const auto found = nodes_.find(path);
  if (found == nodes_.end() || found->second.is_busy) return;
  Node& node = found->second;
  if (!node.wanted && node.state == State::kAbsent) {
    const dubbo::Url url = url_of(path);
    nodes_.erase(found);
    events_.on_unregistered(url);
  } else if (node.wanted && node.state == State::kPresent) {
    if (std::exchange(node.owes_report, false)) events_.on_registered(url_of(path));
  } else if (session_.is_connected() && !std::exchange(node.is_queued, true)) {
    queue_.add(is_consumer(path) ? WriteQueue::Rank::kConsumer : WriteQueue::Rank::kProvider,
               [this, path] { return write(path); });
  }
}

// Its turn has come. Much may have changed since it was queued; each change called step(), and
// without a connection the next one does.
bool OwnedNodes::write(const std::string& path) {
  const auto found = nodes_.find(path);
  if (found == nodes_.end()) return false;
  Node& node = found->second;
  node.is_queued = false;
  const bool is_done = node.state == (node.wanted ? State::kPresent : State::kAbsent);
  if (is_done || node.is_busy || !session_.is_connected()) return false;
  node.is_busy = true;
  if (node.wanted) {
    create(path, node);
  } else {
    remove(path, node);
  }
  return true;
}

// A node that is busy is never forgotten, so these find it when its operation ends.
void OwnedNodes::create(const std::string& path, Node& node) {
  node.state = State::kUnknown;
  session_.create(path, data_of(path, node), true, [this, path](const OperationResult& result) {
    on_created(path, nodes_.at(path), result.rc);
  });
}

void OwnedNodes::on_created(const std::string& path, Node& node, int rc) {
  if (rc == ZOK) {
    node.state = State::kPresent;
    node.is_busy = false;
    node.tried_parents = false;
    node.conflicts = 0;
    node.backoff.reset();
    step(path);
  } else if (rc == ZNONODE && !std::exchange(node.tried_parents, true)) {
    create_folders(session_, path, [this, path](int rc_of_folders) {
      Node& known = nodes_.at(path);
      if (rc_of_folders == ZOK) {
        create(path, known);
      } else {
        on_failed(path, known, "create the folders of", rc_of_folders);
      }
    });
  } else if (rc == ZNODEEXISTS && node.conflicts < kMaxConflicts) {
    resolve_conflict(path, node);
  } else {
    on_failed(path, node, "create", rc);
  }
}

// The node is there: ours, if an answer was lost; else that of a session that will end, and take
// the node with it, unless it is replaced.
void OwnedNodes::resolve_conflict(const std::string& path, Node& node) {
  ++node.conflicts;
  session_.find_owner(path, [this, path](const OperationResult& owner) {
    Node& known = nodes_.at(path);
    if (owner.rc == ZNONODE) {
      create(path, known);
    } else if (owner.rc != ZOK) {
      on_failed(path, known, "look at", owner.rc);
    } else if (owner.owner_session == session_.session_id()) {
      on_created(path, known, ZOK);
    } else {
      session_.remove(path, [this, path](const OperationResult& removed) {
        Node& replaced = nodes_.at(path);
        if (removed.rc == ZOK || removed.rc == ZNONODE) {
          create(path, replaced);
        } else {
          on_failed(path, replaced, "replace", removed.rc);
        }
      });
    }
  });
}

void OwnedNodes::remove(const std::string& path, Node& /*node*/) {
  session_.remove(path, [this, path](const OperationResult& result) {
    Node& node = nodes_.at(path);
    if (result.rc == ZOK || result.rc == ZNONODE) {
      node.is_busy = false;
      node.state = State::kAbsent;
      node.owes_report = true;
      step(path);
    } else {
      on_failed(path, node, "delete", result.rc);
    }
  });
}

void OwnedNodes::start_checks() {
  check_in_turns(pace_, nodes_, executor_, alive_, [this](std::size_t due) { check(due); });
}

void OwnedNodes::check(std::size_t nodes) {
  if (!session_.is_connected()) return;
  for (std::size_t i = 0; i < nodes; ++i) {
    auto& [path, node] = *next_in_turn(nodes_, last_checked_);
    if (!node.wanted || node.is_busy || node.state != State::kPresent) continue;
    node.is_busy = true;
    session_.find_owner(
        path, [this, path = path](const OperationResult& owner) { on_owner(path, owner); });
  }
}

// What a check of a node that is to be there found.
void OwnedNodes::on_owner(const std::string& path, const OperationResult& owner) {
  Node& node = nodes_.at(path);
  node.is_busy = false;
  const bool is_gone = owner.rc == ZNONODE;
  const bool is_foreign = owner.rc == ZOK && owner.owner_session != session_.session_id();
  if (is_gone || is_foreign) {
    const std::string what = is_gone ? "the node had gone" : "the node was another session's";
    spdlog::warn("{}: {}; writing it again", path, what);
    node.state = is_gone ? State::kAbsent : State::kUnknown;
    node.owes_report = true;
    if (node.wanted) {
      events_.on_register_failed(url_of(path),
                                 {ErrorCode::kUnavailable, what + "; writing it again"});
    }
    events_.on_lost_node_found(url_of(path));
  }
  step(path);
}

void OwnedNodes::on_failed(const std::string& path, Node& node, const char* what, int rc) {
  node.is_busy = false;
  node.state = State::kUnknown;
  node.tried_parents = false;
  node.conflicts = 0;
  const std::chrono::milliseconds pause = node.backoff.next();
  executor_.post_after(pause, alive_.guard([this, path] { step(path); }));
  if (is_connection_error(rc)) return;  // the connection's own report says it all
  const Error error = zookeeper_error(std::string("cannot ") + what + " " + path, rc);
  spdlog::warn("{}; trying again in {} ms", error.message, pause.count());
  if (node.wanted) {
    events_.on_register_failed(url_of(path), error);
  } else {
    events_.on_unregister_failed(url_of(path), error);
  }
}

}  // namespace skiff::registry
