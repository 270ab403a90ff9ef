#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "registry/alive.h"
#include "registry/executor.h"
#include "registry/registry.h"
#include "registry/zookeeper/backoff.h"
#include "registry/zookeeper/check_pace.h"
#include "registry/zookeeper/provider_ages.h"
#include "registry/zookeeper/session.h"

namespace skiff::registry {

// The lists of providers that this registry watches. Watches of ZooKeeper fire once: each reading
// of a list sets the next watch in the same call, and a list that does not exist is waited for.
// After a connection was lost every list is read again, and so it is once in a check interval: a
// watch may have gone deaf. A list is read once in kRebuildPause at most, and kListsReadAtOnce are
// at one time: a server answers thousands of readings faster than we can look at what it says.
// Lives on the control thread.
class ProviderWatches {
 public:
  using Time = std::chrono::steady_clock::time_point;

  // All must outlive it. `root` is the folder of Dubbo's tree.
  ProviderWatches(std::string root, Session& session, Executor& executor, RegistryEvents& events,
                  std::chrono::milliseconds check_interval)
      : root_(std::move(root)),
        session_(session),
        executor_(executor),
        events_(events),
        pace_(check_interval),
        ages_(session, executor, [this](const std::string& path) { read_again(path); }) {}

  void start_checks();
  void watch(const std::string& interface);
  void unwatch(const std::string& interface);
  // Reports the list as it is, where it is known.
  void report_again(const std::string& interface);
  void on_session_up(SessionStart start);
  void on_node_changed(const std::string& path, Time at);

 private:
  // Of names, sorted: names themselves would take as much as everything else that is known of
  // providers. Two lists that differ have equal ones once in 2^64.
  using Hashes = std::vector<std::uint64_t>;
  struct List {
    std::string interface;
    bool wanted = true;
    bool is_busy = false;         // an operation is under way
    bool is_waiting = false;      // in waiting_
    bool is_stale = true;         // to be read
    bool may_be_watched = false;  // by the server, for us
    bool is_check = false;        // the reading under way; no event asked for it
    bool is_catching_up = true;   // there was no connection since the last reading
    bool owes_report = false;     // also where the names are as they were
    std::optional<Time> read_at;
    std::optional<Time> told_at;   // the first event that no reading has followed yet
    std::optional<Time> read_for;  // the event that the reading under way follows
    std::optional<Hashes> names;   // as last reported
    Backoff backoff;
  };

  std::string path_of(const std::string& interface) const;
  void step_later(const std::string& path);
  void step(const std::string& path);
  void read_soon(const std::string& path, List& list);
  void check(std::size_t lists);
  void read(const std::string& path, List& list);
  void request(const std::string& path);
  void end_reading();
  void await_creation(const std::string& path);
  void stop_watching(const std::string& path, List& list);
  void on_names(const std::string& path, List& list, std::vector<std::string> names);
  void on_failed(const std::string& path, List& list, int rc);
  // Also where that changes nothing, it is reported.
  void read_again(const std::string& path);
  // `told_at`: when the event came that tells of all that is not in `before`; empty where there was
  // none.
  void report(const std::string& path, const List& list, const std::vector<std::string>& names,
              const Hashes& before, std::optional<Time> told_at);

  const std::string root_;
  Session& session_;
  Executor& executor_;
  RegistryEvents& events_;
  Alive alive_;
  std::map<std::string, List> lists_;  // by path
  std::size_t readings_ = 0;           // under way
  std::deque<std::string> waiting_;    // paths of lists to be read when one of these ends
  CheckPace pace_;
  ProviderAges ages_;
  std::string last_checked_;
};

}  // namespace skiff::registry
