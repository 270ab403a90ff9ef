#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "dubbo/result.h"
#include "registry/executor.h"
#include "registry/zookeeper/session_ticket.h"
#include "registry/zookeeper/zookeeper_address.h"

// The C client's handle, declared here so that zookeeper.h stays out of our headers.
struct _zhandle;  // NOLINT(bugprone-reserved-identifier): the library's choice

namespace skiff::registry {

class ClientHandle;

// What the C client's threads leave for the control thread.
struct ClientEvent {
  enum class Kind {
    kOpened,     // the handle that was asked for, or why there is none
    kSession,    // the session's state changed
    kWatch,      // a watch on `path` fired
    kCompletion  // an operation ended
  };

  Kind kind = Kind::kSession;
  std::uint64_t generation = 0;  // which handle it belongs to
  std::chrono::steady_clock::time_point at;

  std::shared_ptr<ClientHandle> handle;  // of kOpened; empty: `text` says why
  int state = 0;                         // of kSession: the C client's constant
  SessionTicket session;                 // of kSession, once connected
  std::string text;  // of kSession: the server; of kWatch: the path; of kOpened: the error

  std::uint64_t operation = 0;  // of kCompletion, as the rest
  int rc = 0;
  std::int64_t owner_session = 0;
  std::int64_t created_at_ms = 0;
  std::int32_t version = 0;
  std::vector<std::string> names;
  std::string data;
};

// Carries events from any thread to the control thread, in order, with one posted task for however
// many of them. Bounded by what was asked of the client: operations, watches, state changes.
class ClientMailbox {
 public:
  // `drain` runs on the executor, which must outlive the mailbox, after something was put.
  ClientMailbox(Executor& executor, Executor::Task drain)
      : executor_(executor), drain_(std::move(drain)) {}

  void put(ClientEvent event);
  std::vector<ClientEvent> take();
  // Drops what is there and what comes.
  void close();

 private:
  Executor& executor_;
  const Executor::Task drain_;
  std::mutex mutex_;
  bool closed_ = false;
  bool drain_is_posted_ = false;
  std::vector<ClientEvent> events_;
};

// One handle of the C client, that is, one session at the most. Only asynchronous operations; what
// comes of them goes to the mailbox.
//
// open() and the destructor may block for seconds (name resolution; closing the session) and belong
// on a thread of their own; all else on the control thread.
class ClientHandle {
 public:
  // Takes up the session of `ticket` where there is one.
  static Result<std::shared_ptr<ClientHandle>> open(const ZookeeperAddress& address,
                                                    const std::optional<SessionTicket>& ticket,
                                                    std::uint64_t generation,
                                                    std::shared_ptr<ClientMailbox> mailbox);
  ~ClientHandle();

  ClientHandle(const ClientHandle&) = delete;
  ClientHandle& operator=(const ClientHandle&) = delete;

  // True while a server that accepted the connection has not answered the greeting.
  bool is_associating() const;

  // Each returns a number at once; one kCompletion with that number follows.
  std::uint64_t create(const std::string& path, const std::string& data, bool ephemeral);
  std::uint64_t remove(const std::string& path);
  // Tells when a node was created, and which session owns it if it is ephemeral; with `watch`, sets
  // one for the node's creation.
  std::uint64_t exists(const std::string& path, bool watch);
  // Names the children, and sets a watch.
  std::uint64_t list(const std::string& path);
  // Reads the data, which version it is, and which session owns the node; with `watch`, sets one.
  std::uint64_t read(const std::string& path, bool watch);
  // Sets the data where they are of that version.
  std::uint64_t write(const std::string& path, const std::string& data, std::int32_t version);
  // Takes back the watches on `path`.
  std::uint64_t unwatch(const std::string& path);
  // From now on the server hears nothing more of it, so that the session does not end with it.
  // Destroy it soon: it would connect again.
  void leave();
  // The operation's completion was handled: nothing of it is needed any more.
  void forget(std::uint64_t operation);

 private:
  // What the C client hands back with a completion.
  struct Operation {
    ClientHandle* handle;
    std::uint64_t number;
  };
  struct Callbacks;  // the functions that the C client calls

  ClientHandle(std::uint64_t generation, std::shared_ptr<ClientMailbox> mailbox, bool authenticates)
      : generation_(generation), mailbox_(std::move(mailbox)), authenticates_(authenticates) {}

  std::uint64_t submit(const std::function<int(const Operation*)>& call);

  const std::uint64_t generation_;
  const std::shared_ptr<ClientMailbox> mailbox_;
  const bool authenticates_;
  _zhandle* handle_ = nullptr;
  std::uint64_t next_operation_ = 1;
  std::unordered_map<std::uint64_t, Operation> operations_;  // under way; these stay in place
};

}  // namespace skiff::registry
