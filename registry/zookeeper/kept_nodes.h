#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "registry/alive.h"
#include "registry/application/application_faults.h"
#include "registry/executor.h"
#include "registry/limits.h"
#include "registry/zookeeper/backoff.h"
#include "registry/zookeeper/check_pace.h"
#include "registry/zookeeper/session.h"
#include "registry/zookeeper/write_queue.h"

namespace skiff::registry {

// Nodes that are to hold certain data, whoever else writes them. When a node's turn in the
// WriteQueue comes, it is read, and created or set only where it differs; set only as it was read
// (compare and set), so that nobody's change is lost. An ephemeral node of another session is
// replaced. Once in a check interval each node is read again, and put right where somebody changed
// it. Lives on the control thread.
//
//   state      what happens
//   unsettled  waits for its turn; at its turn, and after each change of others that comes between:
//              read -> as wished: settled; missing: create it, its folders first; other data: set;
//              of another session: delete, create. A failure: later again.
//   settled    checks read it: as wished: nothing; else unsettled
//   unwanted   waits for its turn; then deleted, where it is this session's, and forgotten
//
// A turn takes over from what was under way for the node: a session's operations are carried out in
// order, so the new one sees what came of it.
class KeptNodes {
 public:
  struct Wish {
    bool is_ephemeral = false;
    WriteQueue::Rank rank = WriteQueue::Rank::kProvider;
    // A node that would become larger is left as it is, and reported as kLimit.
    std::size_t max_bytes = kMaxNodeBytes;
    // What the node has to hold instead of what it holds ("" where there is none yet); empty: that
    // will do.
    std::function<std::optional<std::string>(const std::string& found)> content;
    // The node is there as wished; once for each keep(), never inside it. May be null.
    std::function<void()> on_kept;
  };

  // All must outlive it. `on_lost` hears of settled nodes that a check found changed.
  KeptNodes(Session& session, Executor& executor, WriteQueue& queue, ApplicationFaults& faults,
            std::chrono::milliseconds check_interval, std::function<void()> on_lost)
      : session_(session),
        executor_(executor),
        queue_(queue),
        faults_(faults),
        on_lost_(std::move(on_lost)),
        pace_(check_interval) {}

  void start_checks();
  void keep(const std::string& path, Wish wish);
  // Leaves it as it is.
  void forget(const std::string& path) { nodes_.erase(path); }
  // Deletes a node that this session owns, or an earlier process with it; leaves another one.
  void remove(const std::string& path);
  void on_session_up(SessionStart start);

 private:
  struct Node {
    Wish wish;
    bool wanted = true;
    bool is_settled = false;
    bool is_queued = false;
    bool is_check = false;  // the reading under way
    bool owes_report = true;
    bool tried_folders = false;
    int readings = 0;             // since its turn came
    std::uint64_t operation = 0;  // the one whose answer counts; 0: none
    Backoff backoff;
  };

  void unsettle(const std::string& path, Node& node);
  void queue(const std::string& path, Node& node);
  bool write(const std::string& path);
  // An answer for handle() of the node's operation; dropped where another has taken over.
  Session::Callback answer(const std::string& path, Node& node,
                           void (KeptNodes::*handle)(const std::string& path, Node& node,
                                                     const OperationResult& result));
  void read(const std::string& path, Node& node);
  void on_read(const std::string& path, Node& node, const OperationResult& found);
  void create(const std::string& path, Node& node);
  void on_created(const std::string& path, Node& node, const OperationResult& result);
  void on_folders(const std::string& path, Node& node, const OperationResult& result);
  void on_set(const std::string& path, Node& node, const OperationResult& result);
  void on_foreign_removed(const std::string& path, Node& node, const OperationResult& result);
  void on_owner(const std::string& path, Node& node, const OperationResult& owner);
  void on_removed(const std::string& path, Node& node, const OperationResult& result);
  void read_again(const std::string& path, Node& node, int rc);
  void settle(Node& node);
  void on_found_changed(const std::string& path, Node& node);
  void on_too_large(const std::string& path, Node& node, std::size_t bytes);
  void on_failed(const std::string& path, Node& node, const char* what, int rc);
  void check(std::size_t nodes);

  Session& session_;
  Executor& executor_;
  WriteQueue& queue_;
  ApplicationFaults& faults_;
  const std::function<void()> on_lost_;
  Alive alive_;
  std::map<std::string, Node> nodes_;  // by path
  std::uint64_t last_operation_ = 0;
  CheckPace pace_;
  std::string last_checked_;
};

}  // namespace skiff::registry
