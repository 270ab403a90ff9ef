#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "registry/alive.h"
#include "registry/executor.h"
#include "registry/zookeeper/backoff.h"
#include "registry/zookeeper/check_pace.h"
#include "registry/zookeeper/session.h"

namespace skiff::registry {

// What a watched node holds.
struct NodeContent {
  enum class State {
    kThere,
    kMissing,
    kUnreadable  // it is tried again; what was known may be used meanwhile
  };

  State state = State::kMissing;
  std::string data;                // of a node watched for its data
  std::vector<std::string> names;  // of its children, else; sorted
  // When the event came that tells of it; empty where there was none.
  std::optional<std::chrono::steady_clock::time_point> told_at = {};
  std::string error = {};  // why it is unreadable
};

// Nodes whose data, or whose children's names, are kept up to date; nodes that do not exist are
// waited for. As ProviderWatches, it reads a node again after each change and each lost connection,
// and once in a check interval; a node once in kRebuildPause at most. Lives on the control thread.
class NodeWatches {
 public:
  enum class Kind { kData, kChildren };
  // Hears of the content when it is first known, and when it has changed; never from inside a call.
  using Listener = std::function<void(const NodeContent&)>;

  // All must outlive it. At most `readings_at_once` are under way. `on_failure` hears why a node
  // cannot be read, as a sentence without an end; `on_deaf` of changes that a check found and no
  // event told.
  NodeWatches(Session& session, Executor& executor, std::chrono::milliseconds check_interval,
              std::size_t readings_at_once,
              std::function<void(const std::string& sentence)> on_failure,
              std::function<void(const std::string& path)> on_deaf)
      : session_(session),
        executor_(executor),
        readings_at_once_(readings_at_once),
        on_failure_(std::move(on_failure)),
        on_deaf_(std::move(on_deaf)),
        pace_(check_interval) {}

  void start_checks();
  // `is_likely`: the node will be there; it is then read at once, not looked for first. A path is
  // watched in one way only.
  void watch(const std::string& path, Kind kind, bool is_likely, Listener listener);
  // The listener is not called any more.
  void unwatch(const std::string& path);
  void on_session_up(SessionStart start);
  void on_node_changed(const std::string& path, std::chrono::steady_clock::time_point at);

 private:
  using Time = std::chrono::steady_clock::time_point;
  struct Node {
    Kind kind = Kind::kData;
    Listener listener;
    bool wanted = true;
    bool is_likely = true;
    bool is_busy = false;         // an operation is under way
    bool is_stale = true;         // to be read
    bool is_queued = false;       // for a reading
    bool may_be_watched = false;  // by the server, for us
    bool is_check = false;        // the reading under way; no event asked for it
    std::optional<Time> read_at;
    std::optional<Time> told_at;      // the first event that no reading has followed yet
    std::optional<Time> read_for;     // the event that the reading under way follows
    std::optional<std::size_t> told;  // the hash of what the listener heard last
    Backoff backoff;
  };

  void queue(const std::string& path, Node& node);
  void queue_after(std::chrono::milliseconds pause, const std::string& path);
  void work_later();
  // Begins what waits, as far as the limit allows.
  void work();
  void step(const std::string& path);
  void begin(Node& node);
  void end(Node& node);
  void check(std::size_t nodes);
  void read(const std::string& path, Node& node);
  void read_content(const std::string& path, Node& node);
  void await_creation(const std::string& path, Node& node);
  void stop_watching(const std::string& path, Node& node);
  void on_content(const std::string& path, Node& node, NodeContent content);
  void on_failed(const std::string& path, Node& node, int rc);

  Session& session_;
  Executor& executor_;
  const std::size_t readings_at_once_;
  const std::function<void(const std::string&)> on_failure_;
  const std::function<void(const std::string&)> on_deaf_;
  Alive alive_;
  std::map<std::string, Node> nodes_;  // by path
  std::deque<std::string> queue_;
  bool is_working_soon_ = false;
  std::size_t under_way_ = 0;
  CheckPace pace_;
  std::string last_checked_;
};

}  // namespace skiff::registry
