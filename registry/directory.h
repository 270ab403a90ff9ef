#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "registry/alive.h"
#include "registry/control_plane.h"
#include "registry/endpoint_probe.h"
#include "registry/executor.h"
#include "registry/held_endpoints.h"
#include "registry/list_protection.h"
#include "registry/listed_provider.h"
#include "registry/paced_log.h"
#include "registry/provider_list_brake.h"
#include "registry/registry_link.h"
#include "registry/registry_metrics.h"
#include "registry/rule_book.h"
#include "registry/rule_needs.h"
#include "registry/saved_state.h"
#include "registry/state_store.h"

namespace skiff::registry {

// The providers of every interface that somebody is interested in, as all registries list them
// together. One watch an interface and registry, however many ask for it. A registry that is away
// keeps its last list here, and the store has what is in use: what an earlier process knew is used
// until the registry says otherwise. Lives on the control thread.
//
// What comes from the registries is not passed on as it is: a list that shrinks has to pass the
// brake; the first change is passed on at once, further ones every kRebuildPause at most, and only
// where they change something; and while the lists are frozen, nothing changes.
//
// With a list go the rules that concern it (RuleBook): it waits for those that are not known yet,
// and is passed on again when they change. Nobody waits with a list that was remembered: that was
// in use with the rules that are remembered, too.
class Directory {
 public:
  using ConsumersOf = std::function<InterfaceConsumers(const std::string& interface)>;

  // All must outlive it. `sink` hears of an interface when its merged list is first in hand, and at
  // every change of it or of its rules. `consumers_of` knows the consumers, but for their host.
  Directory(ControlPlaneSink& sink, Executor& executor, ProviderProbe& probe,
            const ListProtection& protection, RegistryMetrics& metrics, StateStore& store,
            RuleBook& rules, ConsumersOf consumers_of);

  // Lists of an earlier process, for interfaces that somebody becomes interested in before
  // kRememberedListExpiry.
  void remember(std::vector<SavedList> lists);

  void add_interest(RegistryLink& link, const std::string& interface);
  // Takes back one add_interest().
  void drop_interest(RegistryLink& link, const std::string& interface);
  bool has_interest(std::string_view interface) const;
  bool uses(const RegistryLink& link) const;

  // The connection of a registry came or went.
  void on_link_changed(const RegistryLink& link);
  // What a registry lists now; ignored where nobody is interested any more.
  void set_providers(const RegistryLink& link, const std::string& interface,
                     const std::vector<dubbo::Url>& providers);
  // Why a registry's list cannot be read at present; until the next set_providers().
  void note_failure(const RegistryLink& link, const std::string& interface,
                    const std::string& reason);
  // When a registry told of the change that the next set_providers() reports.
  void note_change(const std::string& interface, std::chrono::steady_clock::time_point told_at);
  // Tells the sink again what it was told last, for a reader that may have missed it.
  void report_again(const std::string& interface);
  // The same for all services, since what the sink makes of them has changed.
  void report_all_again();

  // From the RuleBook; the readers that are interfaces.
  void on_rules_changed(const std::string& interface,
                        std::optional<std::chrono::steady_clock::time_point> told_at);
  // Others ask for an interface now; `is_other_identity`: routes are made for another one.
  void on_consumers_changed(const std::string& interface, bool is_other_identity);
  // The advertised address is known, by which rules name a consumer.
  void on_address_known(const RegistryLink& link);

  // Keeps the lists as they are, whatever registries, probes and time say. A service whose list is
  // not in hand yet gets its first one all the same.
  void freeze();
  // Applies what was missed.
  void unfreeze();
  bool is_frozen() const { return is_frozen_; }

  // True once `link` has sent its list, and the list waits for no rules.
  bool is_in_hand(const RegistryLink& link, std::string_view interface) const;
  // Why a list of `link` has not come, or is not what `link` holds now; "" where all is well.
  std::string obstacle(const RegistryLink& link, std::string_view interface) const;
  // The merged list.
  const ListedProviders& providers(std::string_view interface) const;
  // Another number whenever providers() has changed; 0 where none is known.
  std::uint64_t revision(std::string_view interface) const;
  std::optional<ServiceStatus> status(std::string_view interface) const;
  // Puts what is so now into the figures; the rest was counted when it happened.
  void measure(RegistryMetrics& metrics) const;

 private:
  using Time = std::chrono::steady_clock::time_point;
  struct Listing {
    RegistryLink* link = nullptr;
    std::size_t interested = 0;
    std::optional<ListedProviders> providers;
    ListedProviders remembered;  // stands in for `providers` until they come
    std::string failure = {};    // of the last reading
  };
  struct Service {
    explicit Service(const ListProtection& protection) : brake(protection) {}

    std::vector<Listing> listings;  // in the order of first interest
    ProviderListBrake brake;
    ListedProviders merged;
    std::uint64_t revision = 0;  // of `merged`
    bool reported = false;
    bool awaits_rules = false;          // and is not reported, or not again, meanwhile
    std::uint64_t rules_revision = 0;   // as last reported
    bool is_reported_hostless = false;  // the advertised address was not known
    std::optional<Time> rebuilt_at;
    std::optional<Time> told_at;  // the first event that no rebuild has followed yet
    bool is_rebuild_planned = false;
    bool has_waiting_change = false;  // since the freeze
    std::optional<Time> wakes_at;     // when time alone may change the list
  };

  static Listing* find(Service& service, const RegistryLink& link);
  const Listing* find(const RegistryLink& link, std::string_view interface) const;
  static bool all_in_hand(const Service& service);
  static bool may_err(const Service& service);
  // As they are listed; a provider that several registries list is there once, as the latest of its
  // URLs says.
  static ListedProviders merge(const Service& service);

  void tell_brake_of_registries(Service& service) const;
  void drop_listed_there(const std::string& interface, Service& service);
  void rebuild_soon(const std::string& interface, Service& service);
  void rebuild(const std::string& interface, Service& service);
  // After the brake changed: reports the list, and plans what follows.
  void apply(const std::string& interface, Service& service);
  void report(const std::string& interface, Service& service);
  void tell_sink(const std::string& interface, Service& service);
  // Whether its rules are there, or need not be waited for.
  bool has_rules(const std::string& interface, const Service& service);
  void read_rules(const std::string& interface, const Service& service,
                  const ListedProviders& providers);
  static std::string host_of(const Service& service);
  void store(const std::string& interface, const Service& service);
  void wake_later(const std::string& interface, Service& service);
  void on_wake(const std::string& interface, Time planned);
  void on_verdict(const std::string& interface, const std::string& address, bool is_alive,
                  const std::set<std::string>& down);
  void tell_of(const std::string& interface, Service& service);

  using RegistryAndInterface = std::pair<std::string, std::string>;

  ListedProviders take_remembered(const RegistryLink& link, const std::string& interface);
  void forget_remembered();

  ControlPlaneSink& sink_;
  Executor& executor_;
  const ListProtection protection_;
  RegistryMetrics& metrics_;
  StateStore& store_;
  RuleBook& rules_;
  const ConsumersOf consumers_of_;
  PacedLog log_;
  std::map<RegistryAndInterface, ListedProviders> remembered_;  // and not asked for yet
  std::uint64_t revisions_ = 0;
  bool is_frozen_ = false;
  HeldEndpoints held_;
  std::map<std::string, Service, std::less<>> services_;
  Alive alive_;
};

}  // namespace skiff::registry
