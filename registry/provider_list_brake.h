#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "registry/list_protection.h"
#include "registry/listed_provider.h"

namespace skiff::registry {

// What of a service's list is believed. Registries lose data, and providers lose their sessions
// while they serve; so providers that vanish from a list are kept in two cases:
//
//   stale  nobody is listed any more: the last ones stay for `empty_list_time`
//   held   more than `vanish_percent` of the providers vanished within kVanishWindow: these stay
//          until a probe finds them dead, for `hold_time` at most
//
// Both times are those in which the registry could have taken back what it said: while it is away
// they stand still, and they begin anew with its return.
//
// In a list that is stale a dead provider goes, too, unless all are dead: none is better than
// another then. A provider is an address with a group and a version: one that comes back with
// other parameters never vanished. Those with enabled=false are left out, which is somebody's will
// and no loss.
//
// Pure: it knows no clock, no threads and no sockets.
class ProviderListBrake {
 public:
  using Time = std::chrono::steady_clock::time_point;
  using Providers = ListedProviders;
  using Identity = std::string;

  // The same for all URLs of one provider.
  static Identity identity_of(const ListedProvider& provider);

  explicit ProviderListBrake(const ListProtection& protection) : protection_(protection) {}

  // What happened since the last take_events(), for logs and counters.
  struct Events {
    std::size_t braked = 0;     // providers that began to be held
    std::size_t braked_of = 0;  // of so many
    bool went_stale = false;
    bool stale_time_over = false;
    std::size_t found_dead = 0;
    std::size_t held_too_long = 0;
  };
  Events take_events() { return std::exchange(events_, {}); }

  // What the registries list now.
  void update(const Providers& listed, Time now);
  // The same for a list that is believed as it is; nothing is kept.
  void adopt(const Providers& listed);
  // Whether a registry of the list is away; to be called when that changes.
  void set_registry_away(bool is_away, Time now);
  // What a probe of host:port found, and which of the services that it was asked for are down.
  // False where that was known.
  bool on_probe(const std::string& address, bool is_alive, const std::set<std::string>& down = {});
  // Lets go of what was kept long enough, and of what is dead. To be called at next_deadline(), and
  // after on_probe().
  void expire(Time now);

  // Who may be called: those that are listed and those that are kept, each URL once, in the order
  // of their texts.
  Providers providers() const;
  // When time alone changes something next.
  std::optional<Time> next_deadline() const;

  bool keeps_any() const { return !kept_.empty(); }
  bool is_stale() const { return stale_since_.has_value(); }
  // Those among providers() that are not listed any more, sorted.
  Providers kept() const;
  // Of those that are held: to be probed, and what an agent there is to be asked for.
  std::map<std::string, std::set<std::string>> addresses_to_probe() const;

 private:
  struct Kept {
    ListedProvider provider;
    std::optional<Time> held_since;  // empty: kept only because the list is stale
    bool is_dead = false;
  };
  struct Vanished {
    ListedProvider provider;
    Time at;
  };
  using ByIdentity = std::map<Identity, ListedProvider>;

  // One URL for each provider that is listed.
  ByIdentity known() const;
  void forget_listed(const std::set<Identity>& present, Time now);
  bool is_too_much(std::size_t vanished, std::size_t before) const;
  void hold(ByIdentity vanished, std::size_t before, Time now);
  void let_go(const ByIdentity& vanished, bool is_empty, Time now);
  void note_emptiness(bool is_empty, Time now);
  bool is_stale_at(Time now) const;
  bool all_kept_are_dead() const;

  const ListProtection protection_;
  Providers listed_;                            // enabled ones, sorted, each once
  std::map<Identity, Kept> kept_;               // not listed any more
  std::map<Identity, Vanished> just_vanished_;  // believed; within kVanishWindow
  bool was_empty_ = true;
  bool is_registry_away_ = false;
  Events events_;
  std::optional<Time> stale_since_;
};

}  // namespace skiff::registry
