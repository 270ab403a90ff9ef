#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "registry/alive.h"
#include "registry/executor.h"
#include "registry/paced_log.h"
#include "registry/registry.h"
#include "registry/zookeeper/node_watches.h"

namespace skiff::registry {

// The rule URLs of interfaces: <root>/<interface>/configurators and /routers, whose children's
// names are the rules. Most interfaces have neither folder: so one watch on the interface's own
// folder says which are there, and only those are watched. Interfaces are looked at for the first
// time kRulesReadAtOnce at a time, in the order of watch(). Lives on the control thread.
class RuleUrlWatches {
 public:
  // All must outlive it.
  RuleUrlWatches(std::string root, NodeWatches& nodes, Executor& executor, RegistryEvents& events)
      : root_(std::move(root)), nodes_(nodes), executor_(executor), events_(events) {}

  void watch(const std::string& interface);
  void unwatch(const std::string& interface);

 private:
  using Time = std::chrono::steady_clock::time_point;
  static constexpr std::array<const char*, 2> kFolders = {"/configurators", "/routers"};

  struct Folder {
    bool is_watched = false;
    std::optional<std::vector<std::string>> urls;  // empty: not known yet
  };
  struct Interface {
    bool is_waiting = true;       // for its turn to be looked at
    bool is_settled = false;      // known, or known to be unreadable
    std::optional<Time> told_at;  // of the event that brought a folder that is not read yet
    std::array<Folder, kFolders.size()> folders;
  };

  std::string path_of(const std::string& interface) const;
  void begin_waiting();
  void on_interface_folder(const std::string& interface, const NodeContent& content);
  void on_rule_folder(const std::string& interface, std::size_t index, const NodeContent& content);
  void set_watched(const std::string& interface, std::size_t index, bool is_there);
  void tell_of_limit(const std::string& interface, const NodeContent& content);
  std::vector<std::string> decode(const std::string& interface,
                                  const std::vector<std::string>& names);
  void fail(const std::string& interface, Interface& known, const Error& error);
  void report(const std::string& interface, Interface& known, std::optional<Time> told_at);
  void settle(Interface& known);

  const std::string root_;
  NodeWatches& nodes_;
  Executor& executor_;
  RegistryEvents& events_;
  Alive alive_;
  PacedLog log_;
  std::map<std::string, Interface> interfaces_;
  std::deque<std::string> waiting_;
  std::size_t under_way_ = 0;  // begun, and not settled
};

}  // namespace skiff::registry
