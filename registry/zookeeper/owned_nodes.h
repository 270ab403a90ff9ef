#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <string>

#include "dubbo/url.h"
#include "registry/alive.h"
#include "registry/executor.h"
#include "registry/registry.h"
#include "registry/zookeeper/backoff.h"
#include "registry/zookeeper/check_pace.h"
#include "registry/zookeeper/session.h"
#include "registry/zookeeper/write_queue.h"

namespace skiff::registry {

// The ephemeral nodes that this registry is to hold: their names are URLs, their data the
// advertised host, and of successors an age (node_age.h). Writes them, writes them again in each
// new session, and withdraws exactly what it wrote, trying as often as it takes. Lives on the
// control thread.
//
// A node is in one of three states, and at most one operation on it is under way; whatever was
// asked meanwhile is done next:
//
//   state      wanted                                      not wanted
//   absent     create it (parents first where missing)     done: reported and forgotten
//   unknown    the same; NodeExists of a session other     delete it; NoNode is as good
//              than ours means: delete, then create
//   present    done: reported                              delete it
//
// To create or delete a node it waits for its turn in the WriteQueue; after a session was lost all
// of them wait for a moment.
//
// Once in a check interval each node that is present is looked for: one that has gone becomes
// absent, one of another session's unknown, and both are written again.
class OwnedNodes {
 public:
  // All must outlive it. `root` is the folder of Dubbo's tree.
  OwnedNodes(std::string root, Session& session, Executor& executor, WriteQueue& queue,
             RegistryEvents& events, std::chrono::milliseconds check_interval)
      : root_(std::move(root)),
        session_(session),
        executor_(executor),
        queue_(queue),
        events_(events),
        pace_(check_interval) {}

  void start_checks();
  void want(const dubbo::Url& url) { want(url, State::kAbsent); }
  // The same for a node that takes the place of another one of the same provider.
  void want_successor(const dubbo::Url& url);
  // The same for a node that an earlier process wrote: it may be there, and its provider is as old
  // as the URL says.
  void keep(const dubbo::Url& url) { want(url, State::kUnknown).is_successor = true; }
  // Also for nodes that this object never wrote.
  void drop(const dubbo::Url& url);
  void on_session_up(SessionStart start);

 private:
  enum class State { kAbsent, kUnknown, kPresent };
  struct Node {
    State state = State::kUnknown;
    bool wanted = true;
    bool is_successor = false;
    bool is_queued = false;      // to be created or deleted
    bool is_busy = false;        // an operation is under way
    bool owes_report = true;     // of on_registered()
    bool tried_parents = false;  // since the last success
    int conflicts = 0;           // deletions of another session's node since the last success
    Backoff backoff;
  };

  Node& want(const dubbo::Url& url, State state_if_new);
  static std::string data_of(const std::string& path, const Node& node);
  std::string path_of(const dubbo::Url& url) const;
  void step_later(const std::string& path);
  void step(const std::string& path);
  bool write(const std::string& path);
  void create(const std::string& path, Node& node);
  void on_created(const std::string& path, Node& node, int rc);
  void resolve_conflict(const std::string& path, Node& node);
  void remove(const std::string& path, Node& node);
  void check(std::size_t nodes);
  void on_owner(const std::string& path, const OperationResult& owner);
  void on_failed(const std::string& path, Node& node, const char* what, int rc);

  const std::string root_;
  Session& session_;
  Executor& executor_;
  WriteQueue& queue_;
  RegistryEvents& events_;
  Alive alive_;
  std::map<std::string, Node> nodes_;  // by path
  bool had_session_ = false;
  CheckPace pace_;
  std::string last_checked_;
};

}  // namespace skiff::registry
