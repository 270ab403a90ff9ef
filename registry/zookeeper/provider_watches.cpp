#include "registry/zookeeper/provider_watches.h"

#include <spdlog/spdlog.h>
#include <zookeeper/zookeeper.h>

#include <algorithm>
#include <functional>
#include <iterator>
#include <utility>

#include "dubbo/url.h"
#include "registry/limits.h"
#include "registry/zookeeper/zookeeper_error.h"

namespace skiff::registry {
namespace {

std::uint64_t hash_of(const std::string& name) { return std::hash<std::string>()(name); }

}  // namespace

std::string ProviderWatches::path_of(const std::string& interface) const {
  return root_ + "/" + dubbo::url_encode(interface) + "/providers";
}

void ProviderWatches::watch(const std::string& interface) {
  const std::string path = path_of(interface);
  auto [entry, is_new] = lists_.try_emplace(path);
  List& list = entry->second;
  if (!is_new && list.wanted) return;
  list.interface = interface;
  list.wanted = true;
  list.is_stale = true;
  list.names.reset();
  step_later(path);
}

void ProviderWatches::unwatch(const std::string& interface) {
  const std::string path = path_of(interface);
  const auto found = lists_.find(path);
  if (found == lists_.end()) return;
  found->second.wanted = false;
  step_later(path);
}

void ProviderWatches::report_again(const std::string& interface) {
  const auto found = lists_.find(path_of(interface));
  if (found != lists_.end() && found->second.wanted) read_again(found->first);
}

void ProviderWatches::on_session_up(SessionStart start) {
  if (start != SessionStart::kResumed) readings_ = 0;
  waiting_.clear();
  for (auto& [path, list] : lists_) {
    list.backoff.reset();
    list.is_stale = true;
    list.is_check = false;
    list.is_catching_up = true;
    list.is_waiting = false;
    if (start != SessionStart::kResumed) {
      list.is_busy = false;
      list.may_be_watched = false;
    }
    step_later(path);
  }
  ages_.on_session_up(start);
}

void ProviderWatches::on_node_changed(const std::string& path, Time at) {
  const auto found = lists_.find(path);
  if (found == lists_.end()) return;
  found->second.is_stale = true;
  found->second.is_check = false;
  if (!found->second.told_at) found->second.told_at = at;
  step(path);
}

void ProviderWatches::start_checks() {
  check_in_turns(pace_, lists_, executor_, alive_, [this](std::size_t due) { check(due); });
}

// A server tells of a change before it answers with what came of it. So where a list has changed
// and nothing was told when it is read, nothing will be.
void ProviderWatches::check(std::size_t lists) {
  if (!session_.is_connected()) return;
  for (std::size_t i = 0; i < lists; ++i) {
    auto& [path, list] = *next_in_turn(lists_, last_checked_);
    if (!list.wanted || list.is_busy || list.is_stale) continue;
    if (readings_ >= kListsReadAtOnce) return;
    list.is_check = true;
    read(path, list);
  }
}

void ProviderWatches::step_later(const std::string& path) {
  executor_.post(alive_.guard([this, path] { step(path); }));
}

void ProviderWatches::step(const std::string& path) {
  const auto found = lists_.find(path);
  if (found == lists_.end() || found->second.is_busy) return;
  List& list = found->second;
  if (!list.wanted && !list.may_be_watched) {
    ages_.forget(path);
    lists_.erase(found);
  } else if (!session_.is_connected()) {
    return;
  } else if (!list.wanted) {
    stop_watching(path, list);
  } else if (list.is_stale) {
    read_soon(path, list);
  }
}

// A burst of changes is read once in a while, and not more lists than one can look at.
void ProviderWatches::read_soon(const std::string& path, List& list) {
  const auto now = executor_.now();
  const auto next = list.read_at ? *list.read_at + kRebuildPause : now;
  if (next <= now && readings_ < kListsReadAtOnce) {
    read(path, list);
  } else if (next <= now) {
    if (!std::exchange(list.is_waiting, true)) waiting_.push_back(path);
  } else {
    executor_.post_after(std::chrono::ceil<std::chrono::milliseconds>(next - now),
                         alive_.guard([this, path] { step(path); }));
  }
}

// A list that is busy is never forgotten, so these find it when its operation ends.
void ProviderWatches::read(const std::string& path, List& list) {
  list.is_busy = true;
  list.is_stale = false;
  list.may_be_watched = true;
  list.read_at = executor_.now();
  list.read_for = std::exchange(list.told_at, std::nullopt);
  ++readings_;
  request(path);
}

void ProviderWatches::request(const std::string& path) {
  session_.list(path, [this, path](const OperationResult& result) {
    List& known = lists_.at(path);
    if (result.rc == ZOK) {
      on_names(path, known, result.names);
    } else if (result.rc == ZNONODE) {
      await_creation(path);
    } else {
      on_failed(path, known, result.rc);
    }
  });
}

void ProviderWatches::await_creation(const std::string& path) {
  session_.await_creation(path, [this, path](const OperationResult& result) {
    List& list = lists_.at(path);
    if (result.rc == ZNONODE) {
      on_names(path, list, {});
    } else if (result.rc == ZOK) {  // created between the two calls
      request(path);
    } else {
      on_failed(path, list, result.rc);
    }
  });
}

void ProviderWatches::end_reading() {
  --readings_;
  while (readings_ < kListsReadAtOnce && !waiting_.empty()) {
    const std::string path = std::move(waiting_.front());
    waiting_.pop_front();
    const auto found = lists_.find(path);
    if (found == lists_.end()) continue;
    found->second.is_waiting = false;
    step(path);
  }
}

void ProviderWatches::stop_watching(const std::string& path, List& list) {
  list.is_busy = true;
  session_.unwatch(path, [this, path](const OperationResult& /*there may be none any more*/) {
    List& known = lists_.at(path);
    known.is_busy = false;
    known.may_be_watched = false;
    step(path);
  });
}

void ProviderWatches::on_names(const std::string& path, List& list,
                               std::vector<std::string> names) {
  list.is_busy = false;
  list.backoff.reset();
  std::sort(names.begin(), names.end());
  const bool is_check = std::exchange(list.is_check, false);
  const auto told_at = std::exchange(list.read_for, std::nullopt);
  const bool is_catching_up = std::exchange(list.is_catching_up, false);
  Hashes hashes;
  hashes.reserve(names.size());
  std::ranges::transform(names, std::back_inserter(hashes), hash_of);
  std::sort(hashes.begin(), hashes.end());
  const bool is_changed = list.names != hashes;
  if (list.wanted && (is_changed || list.owes_report)) {
    list.owes_report = false;
    if (is_check && is_changed && list.names) {
      spdlog::warn("the list {} had changed, and no event told: its watch was deaf", path);
      events_.on_deaf_watch_found(list.interface);
    }
    const bool is_told = list.names && !is_catching_up;
    const Hashes before = std::exchange(list.names, std::move(hashes)).value_or(Hashes());
    if (told_at) events_.on_change_told(list.interface, *told_at);
    report(path, list, names, before, is_told ? told_at : std::nullopt);
  }
  step(path);
  end_reading();
}

void ProviderWatches::read_again(const std::string& path) {
  const auto found = lists_.find(path);
  if (found == lists_.end()) return;
  found->second.owes_report = true;
  found->second.is_stale = true;
  step(path);
}

void ProviderWatches::on_failed(const std::string& path, List& list, int rc) {
  list.is_busy = false;
  list.is_stale = true;
  list.is_check = false;
  if (list.read_for) list.told_at = std::exchange(list.read_for, std::nullopt);
  const std::chrono::milliseconds pause = list.backoff.next();
  if (!is_connection_error(rc)) {
    const Error error = zookeeper_error("cannot read " + path, rc);
    spdlog::warn("{}; trying again in {} ms", error.message, pause.count());
    if (list.wanted) events_.on_list_failed(list.interface, error);
  }
  executor_.post_after(pause, alive_.guard([this, path] { step(path); }));
  end_reading();
}

void ProviderWatches::report(const std::string& path, const List& list,
                             const std::vector<std::string>& names, const Hashes& before,
                             std::optional<Time> told_at) {
  std::vector<dubbo::Url> urls;
  ages_.begin(path);
  for (const std::string& name : names) {
    if (urls.size() == kMaxProvidersPerInterface) {
      spdlog::error("{} providers of {} are listed: those over the limit of {} are left out",
                    names.size(), list.interface, kMaxProvidersPerInterface);
      break;
    }
    const bool is_new = !std::binary_search(before.begin(), before.end(), hash_of(name));
    if (auto url = dubbo::Url::parse_node_name(name)) {
      ages_.date(name, *url, is_new ? told_at : std::nullopt);
      urls.push_back(std::move(*url));
    } else if (is_new) {  // one line a name
      constexpr std::size_t kMaxShown = 200;
      spdlog::warn("a provider of {} is left out, its node's name cannot be read: {} ({})",
                   list.interface, url.error().message, name.substr(0, kMaxShown));
    }
  }
  ages_.end();
  events_.on_providers(list.interface, urls);
}

}  // namespace skiff::registry
