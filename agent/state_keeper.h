#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/paced_writer.h"
#include "agent/saved_routes.h"
#include "agent/state_dir.h"
#include "agent/state_file.h"
#include "agent/state_report.h"
#include "dubbo/result.h"
#include "registry/control_plane.h"
#include "registry/control_thread.h"
#include "registry/saved_state.h"
#include "registry/state_store.h"

namespace skiff::agent {

// The state folder: what the control plane must find again (state.json), what the registries listed
// last (directory.json), the rules that they held (rules.json), and the static routes of the API
// (routes.json). Lives on the control thread, with a thread of its own for the disk; only open()
// may be called from another one.
class StateKeeper final : public registry::StateStore, public RouteStore {
 public:
  // What is remembered of providers, as it is written: as much as their file may hold.
  static constexpr std::size_t kMaxListBytes = kMaxStateFileBytes - 1024;

  // Fails where `folder` cannot be opened, or another agent uses it. Files that cannot be used are
  // set aside. `control` must outlive it.
  static Result<std::unique_ptr<StateKeeper>> open(const std::string& folder,
                                                   registry::Executor& control);
  // The same, where the folder is locked already.
  static std::unique_ptr<StateKeeper> open(const std::string& folder, StateDirLock lock,
                                           registry::Executor& control);

  // Restores into `plane` what was read, and keeps what it holds from then on. Once, before
  // plane.start(); `plane` must outlive this object's use.
  void attach(registry::ControlPlane& plane);
  // Calls `done` when all files are up to date, or cannot be.
  void when_all_stored(std::function<void()> done);
  StateReport report() const;

  // Another process goes on with the folder: once what has changed so far is written, `done` is
  // called with why it is not, or "", and nothing is written any more until resume().
  void leave_to_successor(std::function<void(std::string problem)> done);
  void resume();
  forwarder::Fd share_lock() const { return lock_.share(); }

  void on_state_changed() override;
  void when_stored(std::function<void()> done) override;
  void on_list(const std::string& registry, const std::string& interface,
               const registry::ListedProviders& providers) override;
  void on_rules_changed() override { on_changed(rules_file_); }

  SavedRoutes saved_routes() const override { return *routes_; }
  void on_routes_changed(SavedRoutes routes) override;
  void when_routes_stored(std::function<void()> done) override;

 private:
  // Registry and interface: views into the texts of its List, which live as long as the entry.
  using ListKey = std::pair<std::string_view, std::string_view>;
  struct List {
    std::shared_ptr<const registry::SavedList> list;
    std::size_t text_size = 0;
  };

  StateKeeper(std::string folder, StateDirLock lock, registry::Executor& control);

  void load();
  template <typename Content, typename Parse>
  Content load_file(const std::string& name, Parse parse);
  StateText state_snapshot() const;
  StateText lists_snapshot() const;
  StateText rules_snapshot() const;
  void set_list(registry::SavedList list);
  void on_changed(PacedWriter& file) {
    if (!is_left_) file.on_changed();
  }

  const std::string folder_;
  const StateDirLock lock_;
  registry::ControlPlane* plane_ = nullptr;
  registry::SavedState loaded_state_;
  std::vector<registry::SavedList> loaded_lists_;
  std::vector<registry::SavedRules> loaded_rules_;
  std::uint64_t files_set_aside_ = 0;
  std::map<ListKey, List> lists_;
  std::size_t list_bytes_ = 0;
  bool said_full_ = false;
  bool is_left_ = false;  // to a successor
  std::shared_ptr<const SavedRoutes> routes_ = std::make_shared<const SavedRoutes>();
  PacedWriter state_file_;
  PacedWriter lists_file_;
  PacedWriter rules_file_;
  PacedWriter routes_file_;
  registry::ControlThread disk_;  // last: it ends first
};

}  // namespace skiff::agent
