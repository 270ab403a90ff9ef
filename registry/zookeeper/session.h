#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "registry/alive.h"
#include "registry/control_thread.h"
#include "registry/executor.h"
#include "registry/zookeeper/backoff.h"
#include "registry/zookeeper/client_handle.h"
#include "registry/zookeeper/session_ticket.h"
#include "registry/zookeeper/zookeeper_address.h"

namespace skiff::registry {

// What a connection found.
enum class SessionStart {
  // All is there, but changes may have been missed.
  kResumed,
  // The session with its nodes, by another handle: no watches are left, and operations of before
  // are not answered any more.
  kTakenUp,
  // Nothing.
  kNew,
};

// What a session tells its owner, on the control thread.
class SessionEvents {
 public:
  virtual ~SessionEvents() = default;
  // Connected.
  virtual void on_session_up(SessionStart start, const std::string& detail) = 0;
  virtual void on_session_down(const std::string& detail) = 0;
  // A watch on `path` fired; the event came from the server at `at`.
  virtual void on_node_changed(const std::string& path,
                               std::chrono::steady_clock::time_point at) = 0;
};

// What came of an operation; `rc` is the C client's code.
struct OperationResult {
  int rc = 0;
  std::int64_t owner_session = 0;  // of find_owner() and read(); 0: the node is persistent
  std::vector<std::string> names;  // of list()
  std::int64_t created_at_ms = 0;  // of both: Unix time, by the server's clock
  std::string data;                // of read()
  std::int32_t version = 0;        // of the data, of read()
};

// The one ZooKeeper session of a registry. It opens a new one when the server has expired the old,
// and when the credentials are refused. When there was no connection for kGiveUpTimeouts session
// timeouts, it takes the session up again with another handle of the C client: after its server
// lost its data, the old handle, which has seen later changes than that server knows, would wait
// for ever; a fresh one is told that its session has expired, or finds it alive where the server
// was merely away for long. Lives on the control thread; the C client's threads leave what they
// have in a mailbox, and opening and closing, which may block, have a thread of their own.
//
// A server that is starting may accept a connection and never answer on it; the C client then waits
// for two thirds of the session timeout. After kGreetingLimit the session is taken up again with
// another handle.
class Session {
 public:
  using Callback = std::function<void(const OperationResult&)>;
  static constexpr int kGiveUpTimeouts = 3;
  static constexpr std::chrono::seconds kGreetingLimit{4};

  // `executor` and `events` must outlive it.
  Session(ZookeeperAddress address, Executor& executor, SessionEvents& events);
  ~Session();

  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // Before start(): goes on with the session of an earlier process, if it is still alive.
  void take_up(const SessionTicket& ticket) { session_ = ticket; }
  void start();
  // Another process goes on with the session: stops using it, without ending it. `done` comes on
  // the control thread when nothing more is said to the server. Until return_to_it(), there is no
  // connection.
  void leave(std::function<void()> done);
  // That process does not come: goes on with it here.
  void return_to_it();
  bool is_connected() const { return connected_ && handle_ != nullptr; }
  // Of the latest connection, or what take_up() was given before the first.
  const SessionTicket& ticket() const { return session_; }
  std::int64_t session_id() const { return session_.id; }

  // The operations; each calls back once, later, unless on_session_up() reports another start than
  // kResumed first. Call them while connected only.
  void create(const std::string& path, const std::string& data, bool ephemeral, Callback done);
  void remove(const std::string& path, Callback done);
  void find_owner(const std::string& path, Callback done);
  // Names the children and watches them.
  void list(const std::string& path, Callback done);
  // Reads the data and, with `watch`, watches it.
  void read(const std::string& path, bool watch, Callback done);
  // Sets the data of a node where their version is still the one that read() told; ZBADVERSION
  // where it is not.
  void write(const std::string& path, const std::string& data, std::int32_t version, Callback done);
  // ZNONODE: does not exist, and its creation is watched.
  void await_creation(const std::string& path, Callback done);
  void unwatch(const std::string& path, Callback done);

 private:
  using Clock = std::chrono::steady_clock;

  enum class Take { kNewSession, kSameSession };  // the same: if one is known

  void open_handle(Take take);
  // Closes the handle and opens another after `pause`.
  void replace_handle(const std::string& why, std::chrono::milliseconds pause, Take take);
  void set_down(const std::string& why);
  void watch_over_connection();
  void check_connection();

  void drain();
  void handle_event(ClientEvent& event);
  void on_opened(ClientEvent& event);
  void on_state(const ClientEvent& event);
  SessionStart start_of(const ClientEvent& connected) const;
  void report_up();
  void on_completion(ClientEvent& event);
  void remember(std::uint64_t operation, Callback done);

  const ZookeeperAddress address_;
  Executor& executor_;
  SessionEvents& events_;
  Alive alive_;
  std::shared_ptr<ClientMailbox> mailbox_;

  std::shared_ptr<ClientHandle> handle_;
  std::uint64_t generation_ = 0;  // of the handle in use, or being opened
  bool connected_ = false;
  bool has_left_ = false;
  SessionTicket session_;                   // id 0: none is known that might be alive
  std::uint64_t session_generation_ = 0;    // the generation that session_ came with
  std::optional<SessionStart> unreported_;  // while there is no handle to use the connection with
  Clock::time_point down_since_;
  std::optional<Clock::time_point> associating_since_;
  std::string detail_;  // as last reported
  Backoff backoff_;
  std::unordered_map<std::uint64_t, Callback> callbacks_;

  ControlThread lifecycle_;  // last: it ends first
};

}  // namespace skiff::registry
