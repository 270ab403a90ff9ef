#include "registry/zookeeper/kept_nodes.h"

#include <spdlog/spdlog.h>
#include <zookeeper/zookeeper.h>

#include "registry/zookeeper/folders.h"
#include "registry/zookeeper/zookeeper_error.h"

namespace skiff::registry {
void KeptNodes::keep(const std::string& path, Wish wish) {
  Node& node = nodes_[path];
  node.wish = std::move(wish);
  node.wanted = true;
  node.owes_report = true;
  unsettle(path, node);
}

void KeptNodes::remove(const std::string& path) {
  Node& node = nodes_[path];
  node.wanted = false;
  unsettle(path, node);
}

void KeptNodes::on_session_up(SessionStart start) {
  for (auto& [path, node] : nodes_) {
    node.backoff.reset();
    node.is_check = false;
    node.operation = 0;
    if (start == SessionStart::kNew) node.is_settled = false;
    if (!node.is_settled) queue(path, node);
  }
}

void KeptNodes::unsettle(const std::string& path, Node& node) {
  node.is_settled = false;
  node.is_check = false;
  node.operation = 0;
  queue(path, node);
}

void KeptNodes::queue(const std::string& path, Node& node) {
  if (!session_.is_connected() || std::exchange(node.is_queued, true)) return;
  queue_.add(node.wish.rank, [this, path] { return write(path); });
}

// Its turn has come. Much may have changed since it was queued.
bool KeptNodes::write(const std::string& path) {
  const auto found = nodes_.find(path);
  if (found == nodes_.end() || !std::exchange(found->second.is_queued, false)) return false;
  Node& node = found->second;
  if (node.is_settled || !session_.is_connected()) return false;
  node.readings = 0;
  node.tried_folders = false;
  if (node.wanted) {
    read(path, node);
  } else {
    session_.find_owner(path, answer(path, node, &KeptNodes::on_owner));
  }
  return true;
}

Session::Callback KeptNodes::answer(const std::string& path, Node& node,
                                    void (KeptNodes::*handle)(const std::string&, Node&,
                                                              const OperationResult&)) {
  node.operation = ++last_operation_;
  return [this, path, operation = node.operation, handle](const OperationResult& result) {
    const auto found = nodes_.find(path);
    if (found == nodes_.end() || found->second.operation != operation) return;
    (this->*handle)(path, found->second, result);
  };
}

void KeptNodes::read(const std::string& path, Node& node) {
  ++node.readings;
  session_.read(path, false, answer(path, node, &KeptNodes::on_read));
}

void KeptNodes::on_read(const std::string& path, Node& node, const OperationResult& found) {
  const bool is_there = found.rc == ZOK;
  if (!is_there && found.rc != ZNONODE) {
    on_failed(path, node, "read", found.rc);
    return;
  }
  const bool is_foreign =
      is_there && node.wish.is_ephemeral && found.owner_session != session_.session_id();
  const auto content = node.wish.content(is_foreign ? std::string() : found.data);
  if (is_there && !is_foreign && !content) {
    settle(node);
  } else if (node.is_check) {
    on_found_changed(path, node);
  } else if (content && content->size() > node.wish.max_bytes) {
    on_too_large(path, node, content->size());
  } else if (!is_there) {
    create(path, node);
  } else if (is_foreign) {
    session_.remove(path, answer(path, node, &KeptNodes::on_foreign_removed));
  } else {
    session_.write(path, *content, found.version, answer(path, node, &KeptNodes::on_set));
  }
}

void KeptNodes::create(const std::string& path, Node& node) {
  session_.create(path, node.wish.content({}).value_or(""), node.wish.is_ephemeral,
                  answer(path, node, &KeptNodes::on_created));
}

void KeptNodes::on_created(const std::string& path, Node& node, const OperationResult& result) {
  if (result.rc == ZOK) {
    settle(node);
  } else if (result.rc == ZNONODE && !std::exchange(node.tried_folders, true)) {
    create_folders(session_, path,
                   [on_folders = answer(path, node, &KeptNodes::on_folders)](int rc) {
                     OperationResult done;
                     done.rc = rc;
                     on_folders(done);
                   });
  } else if (result.rc == ZNODEEXISTS) {
    read_again(path, node, result.rc);
  } else {
    on_failed(path, node, "create", result.rc);
  }
}

void KeptNodes::on_folders(const std::string& path, Node& node, const OperationResult& result) {
  if (result.rc == ZOK) {
    create(path, node);
  } else {
    on_failed(path, node, "create the folders of", result.rc);
  }
}

void KeptNodes::on_set(const std::string& path, Node& node, const OperationResult& result) {
  if (result.rc == ZOK) {
    settle(node);
  } else if (result.rc == ZBADVERSION || result.rc == ZNONODE) {
    read_again(path, node, result.rc);
  } else {
    on_failed(path, node, "set", result.rc);
  }
}

void KeptNodes::on_foreign_removed(const std::string& path, Node& node,
                                   const OperationResult& result) {
  if (result.rc == ZOK || result.rc == ZNONODE) {
    create(path, node);
  } else {
    on_failed(path, node, "replace", result.rc);
  }
}

// Of a node that is to go.
void KeptNodes::on_owner(const std::string& path, Node& node, const OperationResult& owner) {
  const bool is_there = owner.rc == ZOK;
  if (!is_there && owner.rc != ZNONODE) {
    on_failed(path, node, "look at", owner.rc);
  } else if (is_there && owner.owner_session == session_.session_id()) {
    session_.remove(path, answer(path, node, &KeptNodes::on_removed));
  } else {
    nodes_.erase(path);
  }
}

void KeptNodes::on_removed(const std::string& path, Node& node, const OperationResult& result) {
  if (result.rc == ZOK || result.rc == ZNONODE) {
    nodes_.erase(path);
  } else {
    on_failed(path, node, "delete", result.rc);
  }
}

// Somebody was faster.
void KeptNodes::read_again(const std::string& path, Node& node, int rc) {
  if (node.readings < kMaxNodeReadings) {
    read(path, node);
  } else {
    on_failed(path, node, "write", rc);
  }
}

void KeptNodes::settle(Node& node) {
  node.operation = 0;
  node.is_check = false;
  node.is_settled = true;
  node.backoff.reset();
  if (!std::exchange(node.owes_report, false) || !node.wish.on_kept) return;
  const auto on_kept = node.wish.on_kept;  // which may change the wish
  on_kept();
}

void KeptNodes::on_found_changed(const std::string& path, Node& node) {
  // One that would have become too large differs because it was not written.
  if (!node.owes_report) {
    spdlog::warn("{}: the node had gone, or held something else; writing it again", path);
    on_lost_();
  }
  unsettle(path, node);
}

void KeptNodes::on_too_large(const std::string& path, Node& node, std::size_t bytes) {
  node.operation = 0;
  node.is_settled = true;
  faults_.report(ApplicationFault::kLimit,
                 path + " would hold " + std::to_string(bytes) + " bytes: the limit is " +
                     std::to_string(node.wish.max_bytes) + "; it is left as it is");
}

void KeptNodes::on_failed(const std::string& path, Node& node, const char* what, int rc) {
  node.operation = 0;
  if (std::exchange(node.is_check, false)) return;  // the next one will tell
  const std::chrono::milliseconds pause = node.backoff.next();
  executor_.post_after(pause, alive_.guard([this, path] {
    const auto found = nodes_.find(path);
    if (found == nodes_.end() || found->second.is_settled) return;
    queue(path, found->second);
  }));
  if (is_connection_error(rc)) return;  // the connection's own report says it all
  faults_.report(ApplicationFault::kUnwritten,
                 zookeeper_error(std::string("cannot ") + what + " " + path, rc).message +
                     "; trying again in " + std::to_string(pause.count()) + " ms");
}

void KeptNodes::start_checks() {
  check_in_turns(pace_, nodes_, executor_, alive_, [this](std::size_t due) { check(due); });
}

void KeptNodes::check(std::size_t nodes) {
  if (!session_.is_connected()) return;
  for (std::size_t i = 0; i < nodes; ++i) {
    auto& [path, node] = *next_in_turn(nodes_, last_checked_);
    if (!node.wanted || !node.is_settled || node.operation != 0) continue;
    node.is_check = true;
    read(path, node);
  }
}

}  // namespace skiff::registry
