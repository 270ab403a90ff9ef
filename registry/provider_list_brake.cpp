#include "registry/provider_list_brake.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "dubbo/service_key.h"
#include "registry/limits.h"
#include "registry/provider_url.h"

namespace skiff::registry {
namespace {

using std::chrono::milliseconds;

bool is_enabled(const ListedProvider& provider) { return provider.parameter("enabled") != "false"; }

// The port of an agent is open whether or not the provider behind it lives.
std::optional<std::string> service_to_ask_for(const ListedProvider& provider) {
  if (provider.parameter(dubbo::kRealPortParameter).empty()) return std::nullopt;
  const auto url = dubbo::Url::parse(provider.text());
  if (!url) return std::nullopt;
  return url->service_key().to_string();
}

void sort_out_doubles(ListedProviders& providers) {
  std::sort(providers.begin(), providers.end());
  providers.erase(std::unique(providers.begin(), providers.end()), providers.end());
}

}  // namespace

ProviderListBrake::Identity ProviderListBrake::identity_of(const ListedProvider& provider) {
  Identity identity(provider.protocol());
  identity.append("://").append(provider.address()).append("/");
  identity.append(provider.parameter("group")).append(":");
  return identity.append(dubbo::normalized_version(provider.parameter("version")));
}

void ProviderListBrake::update(const Providers& listed, Time now) {
  std::set<Identity> present;
  for (const ListedProvider& provider : listed) present.insert(identity_of(provider));
  forget_listed(present, now);
  ByIdentity vanished = known();
  const std::size_t before = vanished.size() + just_vanished_.size();
  std::erase_if(vanished, [&](const auto& entry) { return present.contains(entry.first); });
  listed_.clear();
  std::ranges::copy_if(listed, std::back_inserter(listed_), is_enabled);
  sort_out_doubles(listed_);
  listed_.shrink_to_fit();
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
  listed_.clear();
  update(listed, Time());
  just_vanished_.clear();
  stale_since_.reset();
}

ProviderListBrake::ByIdentity ProviderListBrake::known() const {
  ByIdentity known;
  for (const ListedProvider& provider : listed_) {
    known.insert_or_assign(identity_of(provider), provider);
  }
  return known;
}

void ProviderListBrake::forget_listed(const std::set<Identity>& present, Time now) {
  std::erase_if(kept_, [&](const auto& entry) { return present.contains(entry.first); });
  std::erase_if(just_vanished_, [&](const auto& entry) {
    return present.contains(entry.first) || now - entry.second.at > kVanishWindow;
  });
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
void ProviderListBrake::hold(ByIdentity vanished, std::size_t before, Time now) {
  for (auto& [identity, gone] : std::exchange(just_vanished_, {})) {
    vanished.emplace(identity, std::move(gone.provider));
  }
  events_.braked += vanished.size();
  events_.braked_of = before;
  for (auto& [identity, provider] : vanished) {
    kept_.insert_or_assign(identity, Kept{.provider = std::move(provider), .held_since = now});
  }
}

void ProviderListBrake::let_go(const ByIdentity& vanished, bool is_empty, Time now) {
  for (const auto& [identity, provider] : vanished) {
    if (is_empty) kept_.insert_or_assign(identity, Kept{.provider = provider, .held_since = {}});
    just_vanished_.insert_or_assign(identity, Vanished{.provider = provider, .at = now});
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

void ProviderListBrake::set_registry_away(bool is_away, Time now) {
  const bool has_returned = is_registry_away_ && !is_away;
  is_registry_away_ = is_away;
  if (!has_returned) return;
  if (stale_since_) stale_since_ = now;
  for (auto& [identity, kept] : kept_) {
    if (kept.held_since) kept.held_since = now;
  }
}

bool ProviderListBrake::on_probe(const std::string& address, bool is_alive,
                                 const std::set<std::string>& down) {
  bool is_news = false;
  for (auto& [identity, kept] : kept_) {
    if (!kept.held_since || kept.provider.address() != address) continue;
    const auto service = service_to_ask_for(kept.provider);
    const bool is_dead = !is_alive || (service && down.contains(*service));
    if (kept.is_dead == is_dead) continue;
    is_news = true;
    kept.is_dead = is_dead;
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
    const bool is_over = !is_registry_away_ && now - *kept.held_since >= protection_.hold_time;
    if (is_over) ++events_.held_too_long;
    return is_over;
  });
}

bool ProviderListBrake::is_stale_at(Time now) const {
  if (!stale_since_) return false;
  return is_registry_away_ ? protection_.empty_list_time > milliseconds::zero()
                           : now - *stale_since_ < protection_.empty_list_time;
}

bool ProviderListBrake::all_kept_are_dead() const {
  return std::all_of(kept_.begin(), kept_.end(),
                     [](const auto& entry) { return entry.second.is_dead; });
}

ProviderListBrake::Providers ProviderListBrake::providers() const {
  Providers all = kept();
  all.insert(all.end(), listed_.begin(), listed_.end());
  sort_out_doubles(all);
  return all;
}

std::optional<ProviderListBrake::Time> ProviderListBrake::next_deadline() const {
  if (is_registry_away_) return std::nullopt;
  std::optional<Time> next;
  if (stale_since_) next = *stale_since_ + protection_.empty_list_time;
  for (const auto& [identity, kept] : kept_) {
    if (stale_since_ || !kept.held_since) continue;
    const Time end = *kept.held_since + protection_.hold_time;
    next = next ? std::min(*next, end) : end;
  }
  return next;
}

ProviderListBrake::Providers ProviderListBrake::kept() const {
  Providers in_use;
  const bool all_dead = all_kept_are_dead();
  for (const auto& [identity, kept] : kept_) {
    if (!kept.is_dead || all_dead) in_use.push_back(kept.provider);
  }
  sort_out_doubles(in_use);
  return in_use;
}

std::map<std::string, std::set<std::string>> ProviderListBrake::addresses_to_probe() const {
  std::map<std::string, std::set<std::string>> addresses;
  for (const auto& [identity, kept] : kept_) {
    if (!kept.held_since) continue;
    auto& services = addresses[std::string(kept.provider.address())];
    if (const auto service = service_to_ask_for(kept.provider)) services.insert(*service);
  }
  return addresses;
}

}  // namespace skiff::registry
