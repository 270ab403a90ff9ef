#include "agent/state_keeper.h"

#include <spdlog/spdlog.h>

#include <chrono>

#include "agent/saved_rules_text.h"
#include "agent/saved_state_text.h"

namespace skiff::agent {
namespace {

using namespace std::chrono_literals;

constexpr const char* kStateFile = "state.json";
constexpr const char* kListsFile = "directory.json";
constexpr const char* kRulesFile = "rules.json";
constexpr const char* kRoutesFile = "routes.json";
// After a change that nobody waits for. Lists change often, and an older one is of use, too.
constexpr auto kStatePace = 100ms;
constexpr auto kListsPace = 1s;

}  // namespace

Result<std::unique_ptr<StateKeeper>> StateKeeper::open(const std::string& folder,
                                                       registry::Executor& control) {
  return StateDirLock::take(folder).map(
      [&](StateDirLock lock) { return open(folder, std::move(lock), control); });
}

std::unique_ptr<StateKeeper> StateKeeper::open(const std::string& folder, StateDirLock lock,
                                               registry::Executor& control) {
  std::unique_ptr<StateKeeper> keeper(new StateKeeper(folder, std::move(lock), control));
  keeper->load();
  return keeper;
}

StateKeeper::StateKeeper(std::string folder, StateDirLock lock, registry::Executor& control)
    : folder_(std::move(folder)),
      lock_(std::move(lock)),
      state_file_(folder_ + "/" + kStateFile, kStatePace, control, disk_,
                  [this] { return state_snapshot(); }),
      lists_file_(folder_ + "/" + kListsFile, kListsPace, control, disk_,
                  [this] { return lists_snapshot(); }),
      rules_file_(folder_ + "/" + kRulesFile, kListsPace, control, disk_,
                  [this] { return rules_snapshot(); }),
      routes_file_(
          folder_ + "/" + kRoutesFile, kStatePace, control, disk_,
          [this] { return [routes = routes_](const TakePiece& take) { take(to_text(*routes)); }; }),
      disk_("skiff-state") {}

template <typename Content, typename Parse>
Content StateKeeper::load_file(const std::string& name, Parse parse) {
  const std::string path = folder_ + "/" + name;
  auto content = read_state_file(path).and_then(parse);
  if (content) return std::move(*content);
  const Error& error = content.error();
  if (error.code == ErrorCode::kNotFound) return {};
  ++files_set_aside_;
  const std::string kept = set_aside(path);
  spdlog::error("{} cannot be used: {}; starting without it{}", path, error.message,
                kept.empty() ? "" : ", it is kept as " + kept);
  return {};
}

void StateKeeper::load() {
  loaded_state_ = load_file<registry::SavedState>(kStateFile, parse_saved_state);
  loaded_lists_ = load_file<std::vector<registry::SavedList>>(kListsFile, parse_saved_lists);
  loaded_rules_ = load_file<std::vector<registry::SavedRules>>(kRulesFile, parse_saved_rules);
  routes_ =
      std::make_shared<const SavedRoutes>(load_file<SavedRoutes>(kRoutesFile, parse_saved_routes));
  spdlog::info(
      "{}: {} publications, {} subscriptions, {} lists of providers, rules of {} subjects, {} "
      "routes",
      folder_, loaded_state_.publications.size(), loaded_state_.subscriptions.size(),
      loaded_lists_.size(), loaded_rules_.size(), routes_->size());
}

void StateKeeper::attach(registry::ControlPlane& plane) {
  plane_ = &plane;
  for (const registry::SavedList& list : loaded_lists_) set_list(list);
  plane.restore(std::exchange(loaded_state_, {}), std::exchange(loaded_lists_, {}),
                std::exchange(loaded_rules_, {}));
}

void StateKeeper::when_all_stored(std::function<void()> done) {
  state_file_.when_stored([this, done = std::move(done)]() mutable {
    routes_file_.when_stored([this, done = std::move(done)]() mutable {
      lists_file_.when_stored(
          [this, done = std::move(done)]() mutable { rules_file_.when_stored(std::move(done)); });
    });
  });
}

// What changes from here on is the successor's to find, as after a restart.
void StateKeeper::leave_to_successor(std::function<void(std::string)> done) {
  is_left_ = true;
  when_all_stored([this, done = std::move(done)] { done(report().problem); });
}

void StateKeeper::resume() {
  is_left_ = false;
  for (PacedWriter* file : {&state_file_, &routes_file_, &lists_file_, &rules_file_}) {
    file->on_changed();
  }
}

StateReport StateKeeper::report() const {
  StateReport report;
  report.folder = folder_;
  report.files_set_aside = files_set_aside_;
  for (const PacedWriter* file : {&state_file_, &routes_file_, &lists_file_, &rules_file_}) {
    const WriteReport& written = file->report();
    if (report.problem.empty()) report.problem = written.problem;
    report.writes += written.writes;
    report.write_failures += written.failures;
  }
  return report;
}

void StateKeeper::on_state_changed() { on_changed(state_file_); }

void StateKeeper::when_stored(std::function<void()> done) {
  state_file_.when_stored(std::move(done));
}

void StateKeeper::on_list(const std::string& registry, const std::string& interface,
                          const registry::ListedProviders& providers) {
  const auto known = lists_.find({registry, interface});
  const bool is_as_it_was =
      known == lists_.end() ? providers.empty() : known->second.list->providers == providers;
  set_list({registry, interface, providers});  // also then: equal texts are shared from now on
  if (!is_as_it_was) on_changed(lists_file_);
}

void StateKeeper::on_routes_changed(SavedRoutes routes) {
  routes_ = std::make_shared<const SavedRoutes>(std::move(routes));
  on_changed(routes_file_);
}

void StateKeeper::when_routes_stored(std::function<void()> done) {
  routes_file_.when_stored(std::move(done));
}

void StateKeeper::set_list(registry::SavedList list) {
  if (const auto known = lists_.extract(ListKey{list.registry, list.interface})) {
    list_bytes_ -= known.mapped().text_size;
  }
  if (list.providers.empty()) return;
  const std::size_t bytes = text_size(list);
  if (list_bytes_ + bytes > kMaxListBytes) {
    if (!std::exchange(said_full_, true)) {
      spdlog::warn(
          "all known providers take more than {} bytes on the disk: {} and others are not "
          "remembered over a restart",
          kMaxListBytes, list.interface);
    }
    return;
  }
  list_bytes_ += bytes;
  const auto kept = std::make_shared<const registry::SavedList>(std::move(list));
  lists_.emplace(ListKey{kept->registry, kept->interface}, List{kept, bytes});
}

StateText StateKeeper::state_snapshot() const {
  auto state = std::make_shared<const registry::SavedState>(
      plane_ != nullptr ? plane_->state() : registry::SavedState());
  return [state](const TakePiece& take) { write_text(*state, take); };
}

StateText StateKeeper::rules_snapshot() const {
  auto rules = std::make_shared<const std::vector<registry::SavedRules>>(
      plane_ != nullptr ? plane_->rules() : loaded_rules_);
  return [rules](const TakePiece& take) { write_text(*rules, take); };
}

StateText StateKeeper::lists_snapshot() const {
  SharedLists lists;
  lists.reserve(lists_.size());
  for (const auto& [key, list] : lists_) lists.push_back(list.list);
  return [lists = std::move(lists)](const TakePiece& take) { write_text(lists, take); };
}

}  // namespace skiff::agent
