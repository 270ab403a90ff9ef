#include "registry/provider_list_brake.h"

#include <algorithm>
#include <utility>

#include "registry/limits.h"

namespace skiff::registry {
namespace {

using std::chrono::milliseconds;

bool is_enabled(const dubbo::Url& url) { return url.parameter("enabled") != "false"; }

}  // namespace

ProviderListBrake::Identity ProviderListBrake::identity_of(const dubbo::Url& url) {
  return url.protocol + "://" + url.address() + "/" + std::string(url.parameter("group")) + ":" +
         std::string(dubbo::normalized_version(url.parameter("version")));
}

void ProviderListBrake::update(const Providers& listed, Time now) {
  std::set<Identity> present;
  std::map<Identity, dubbo::Url> known;
  listed_.clear();
  for (const dubbo::Url& url : listed) {
    const Identity identity = identity_of(url);
    present.insert(identity);
    if (!is_enabled(url)) continue;
    known.insert_or_assign(identity, url);
    listed_.insert_or_assign(url.to_string(), url);
  }
  forget_listed(present, now);
  const std::size_t before = known_.size() + just_vanished_.size();
  std::map<Identity, dubbo::Url> vanished = take_vanished(present);
  known_ = std::move(known);
  if (is_too_much(vanished.size(), before)) {
    hold(std::move(vanished), before, now);
  } else {
    let_go(vanished, present.empty(), now);
  }
  note_emptiness(present.empty(), now);
  expire(now);
}

void ProviderListBrake::adopt(const Providers& listed) {
  kept_.clear();
  known_.clear();
  update(listed, Time());
  just_vanished_.clear();
  stale_since_.reset();
}

void ProviderListBrake::forget_listed(const std::set<Identity>& present, Time now) {
  std::erase_if(kept_, [&](const auto& entry) { return present.contains(entry.first); });
  std::erase_if(just_vanished_, [&](const auto& entry) {
    return present.contains(entry.first) || now - entry.second.at > kVanishWindow;
  });
}

std::map<ProviderListBrake::Identity, dubbo::Url> ProviderListBrake::take_vanished(
    const std::set<Identity>& present) {
  std::erase_if(known_, [&](const auto& entry) { return present.contains(entry.first); });
  return std::exchange(known_, {});
}

// Whether so many, with those of a moment ago, are too many to vanish of `before`. New ones that
// came at the same time are no proof that the old ones are dead.
bool ProviderListBrake::is_too_much(std::size_t vanished, std::size_t before) const {
  if (vanished == 0 || protection_.hold_time == milliseconds::zero()) return false;
  constexpr std::size_t kPercent = 100;
  return before >= kMinProvidersToBrake &&
         (vanished + just_vanished_.size()) * kPercent > protection_.vanish_percent * before;
}

// Those that vanished a moment ago, too few to be held then, come back with those that make them
// too many: nodes are deleted one by one.
void ProviderListBrake::hold(std::map<Identity, dubbo::Url> vanished, std::size_t before,
                             Time now) {
  for (auto& [identity, gone] : std::exchange(just_vanished_, {})) {
    vanished.emplace(identity, std::move(gone.url));
  }
  events_.braked += vanished.size();
  events_.braked_of = before;
  for (auto& [identity, url] : vanished) {
    kept_.insert_or_assign(identity, Kept{.url = std::move(url), .held_since = now});
  }
}

void ProviderListBrake::let_go(const std::map<Identity, dubbo::Url>& vanished, bool is_empty,
                               Time now) {
  for (const auto& [identity, url] : vanished) {
    if (is_empty) kept_.insert_or_assign(identity, Kept{.url = url, .held_since = {}});
    just_vanished_.insert_or_assign(identity, Vanished{.url = url, .at = now});
  }
}

void ProviderListBrake::note_emptiness(bool is_empty, Time now) {
  if (!is_empty) {
    stale_since_.reset();
  } else if (!was_empty_ && !kept_.empty()) {
    stale_since_ = now;
    events_.went_stale = protection_.empty_list_time > milliseconds::zero();
  }
  was_empty_ = is_empty;
}

bool ProviderListBrake::on_probe(const std::string& address, bool is_alive) {
  bool is_news = false;
  for (auto& [identity, kept] : kept_) {
    if (!kept.held_since || kept.url.address() != address) continue;
    if (kept.is_dead != is_alive) continue;
    is_news = true;
    kept.is_dead = !is_alive;
    if (kept.is_dead) ++events_.found_dead;
  }
  return is_news;
}

void ProviderListBrake::expire(Time now) {
  if (is_stale_at(now)) return;
  events_.stale_time_over |= stale_since_.has_value() && !kept_.empty() &&
                             protection_.empty_list_time > milliseconds::zero();
  stale_since_.reset();
  std::erase_if(kept_, [&](const auto& entry) {
    const Kept& kept = entry.second;
    if (kept.is_dead || !kept.held_since) return true;
    const bool is_over = now - *kept.held_since >= protection_.hold_time;
    if (is_over) ++events_.held_too_long;
    return is_over;
  });
}

bool ProviderListBrake::is_stale_at(Time now) const {
  return stale_since_ && now - *stale_since_ < protection_.empty_list_time;
}

bool ProviderListBrake::all_kept_are_dead() const {
  return std::all_of(kept_.begin(), kept_.end(),
                     [](const auto& entry) { return entry.second.is_dead; });
}

std::map<std::string, dubbo::Url> ProviderListBrake::kept_in_use() const {
  std::map<std::string, dubbo::Url> in_use;
  const bool all_dead = all_kept_are_dead();
  for (const auto& [identity, kept] : kept_) {
    if (!kept.is_dead || all_dead) in_use.emplace(kept.url.to_string(), kept.url);
  }
  return in_use;
}

ProviderListBrake::Providers ProviderListBrake::providers() const {
  std::map<std::string, dubbo::Url> all = kept_in_use();
  all.insert(listed_.begin(), listed_.end());
  Providers result;
  result.reserve(all.size());
  for (auto& [text, url] : all) result.push_back(std::move(url));
  return result;
}

std::optional<ProviderListBrake::Time> ProviderListBrake::next_deadline() const {
  std::optional<Time> next;
  if (stale_since_) next = *stale_since_ + protection_.empty_list_time;
  for (const auto& [identity, kept] : kept_) {
    if (stale_since_ || !kept.held_since) continue;
    const Time end = *kept.held_since + protection_.hold_time;
    next = next ? std::min(*next, end) : end;
  }
  return next;
}

std::set<std::string> ProviderListBrake::kept() const {
  std::set<std::string> texts;
  for (const auto& [text, url] : kept_in_use()) texts.insert(text);
  return texts;
}

std::set<std::string> ProviderListBrake::addresses_to_probe() const {
  std::set<std::string> addresses;
  for (const auto& [identity, kept] : kept_) {
    if (kept.held_since) addresses.insert(kept.url.address());
  }
  return addresses;
}

}  // namespace skiff::registry
