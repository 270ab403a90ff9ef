#include "registry/directory.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <iterator>
#include <string_view>
#include <system_error>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "registry/limits.h"

namespace skiff::registry {

using std::chrono::milliseconds;

namespace {

// 0 where it says none.
std::int64_t timestamp_of(const ListedProvider& provider) {
  const std::string_view text = provider.parameter("timestamp");
  std::int64_t timestamp = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), timestamp);
  return error == std::errc() && end == text.data() + text.size() && timestamp > 0 ? timestamp : 0;
}

}  // namespace

Directory::Directory(ControlPlaneSink& sink, Executor& executor, ProviderProbe& probe,
                     const ListProtection& protection, RegistryMetrics& metrics, StateStore& store,
                     RuleBook& rules, ConsumersOf consumers_of)
    : sink_(sink),
      executor_(executor),
      protection_(protection),
      metrics_(metrics),
      store_(store),
      rules_(rules),
      consumers_of_(std::move(consumers_of)),
      held_(executor, probe, metrics,
            [this](const std::string& interface, const std::string& address, bool is_alive,
                   const std::set<std::string>& down) {
              on_verdict(interface, address, is_alive, down);
            }) {}

void Directory::remember(std::vector<SavedList> lists) {
  for (SavedList& list : lists) {
    remembered_.insert_or_assign({std::move(list.registry), std::move(list.interface)},
                                 std::move(list.providers));
  }
  if (remembered_.empty()) return;
  executor_.post_after(kRememberedListExpiry, alive_.guard([this] { forget_remembered(); }));
}

ListedProviders Directory::take_remembered(const RegistryLink& link, const std::string& interface) {
  auto found = remembered_.extract({link.identity(), interface});
  return found.empty() ? ListedProviders() : std::move(found.mapped());
}

void Directory::forget_remembered() {
  for (const auto& [key, urls] : remembered_) store_.on_list(key.first, key.second, {});
  remembered_.clear();
}

void Directory::add_interest(RegistryLink& link, const std::string& interface) {
  Service& service = services_.try_emplace(interface, protection_).first->second;
  if (Listing* known = find(service, link)) {
    ++known->interested;
    return;
  }
  service.listings.push_back({.link = &link,
                              .interested = 1,
                              .providers = std::nullopt,
                              .remembered = take_remembered(link, interface)});
  link.registry().watch(interface);
  read_rules(interface, service, service.merged);
  if (!service.listings.back().remembered.empty()) rebuild(interface, service);
}

void Directory::drop_interest(RegistryLink& link, const std::string& interface) {
  const auto found = services_.find(interface);
  Listing* listing = found == services_.end() ? nullptr : find(found->second, link);
  if (listing == nullptr || --listing->interested != 0) return;
  link.registry().unwatch(interface);
  store_.on_list(link.identity(), interface, {});
  Service& service = found->second;
  std::erase_if(service.listings, [&link](const Listing& one) { return one.link == &link; });
  if (!service.listings.empty()) {
    tell_brake_of_registries(service);
    read_rules(interface, service, service.merged);
    drop_listed_there(interface, service);
    return;
  }
  const bool was_reported = service.reported;
  held_.set(interface, {});
  rules_.drop_reader(interface);
  services_.erase(found);
  if (was_reported) sink_.on_service_gone(interface);
}

// What only the other registry listed goes at once: it did not vanish, nobody asks for it any more.
void Directory::drop_listed_there(const std::string& interface, Service& service) {
  if (is_frozen_) {
    service.has_waiting_change = true;
    return;
  }
  service.brake.adopt(merge(service));
  apply(interface, service);
}

bool Directory::has_interest(std::string_view interface) const {
  return services_.find(interface) != services_.end();
}

bool Directory::uses(const RegistryLink& link) const {
  return std::any_of(services_.begin(), services_.end(), [&link](const auto& entry) {
    const auto& listings = entry.second.listings;
    return std::any_of(listings.begin(), listings.end(),
                       [&link](const Listing& listing) { return listing.link == &link; });
  });
}

void Directory::on_link_changed(const RegistryLink& link) {
  for (auto& [interface, service] : services_) {
    if (find(service, link) == nullptr) continue;
    tell_brake_of_registries(service);
    if (service.brake.keeps_any() && !is_frozen_) apply(interface, service);
  }
}

void Directory::set_providers(const RegistryLink& link, const std::string& interface,
                              const std::vector<dubbo::Url>& providers) {
  const auto found = services_.find(interface);
  Listing* listing = found == services_.end() ? nullptr : find(found->second, link);
  if (listing == nullptr) return;
  ++metrics_.lists_received;
  Service& service = found->second;
  const bool is_first = !listing->providers;
  listing->providers = listed(providers);
  listing->remembered = ListedProviders();  // with its memory
  listing->failure.clear();
  if (is_first) tell_brake_of_registries(service);
  if (is_first && !(is_frozen_ && service.reported)) {
    rebuild(interface, service);  // somebody waits for it
  } else {
    rebuild_soon(interface, service);
  }
}

void Directory::note_change(const std::string& interface, Time told_at) {
  const auto found = services_.find(interface);
  if (found != services_.end() && !found->second.told_at) found->second.told_at = told_at;
}

void Directory::report_again(const std::string& interface) {
  const auto found = services_.find(interface);
  if (found != services_.end() && found->second.reported) tell_sink(interface, found->second);
}

void Directory::report_all_again() {
  for (auto& [interface, service] : services_) {
    if (service.reported) tell_sink(interface, service);
  }
}

const Directory::Listing* Directory::find(const RegistryLink& link,
                                          std::string_view interface) const {
  const auto found = services_.find(interface);
  if (found == services_.end()) return nullptr;
  const auto& listings = found->second.listings;
  const auto listing = std::ranges::find(listings, &link, &Listing::link);
  return listing == listings.end() ? nullptr : &*listing;
}

bool Directory::is_in_hand(const RegistryLink& link, std::string_view interface) const {
  const Listing* listing = find(link, interface);
  if (listing == nullptr || !listing->providers) return false;
  return !services_.find(interface)->second.awaits_rules;
}

void Directory::note_failure(const RegistryLink& link, const std::string& interface,
                             const std::string& reason) {
  const auto found = services_.find(interface);
  Listing* listing = found == services_.end() ? nullptr : find(found->second, link);
  if (listing != nullptr) listing->failure = reason;
}

std::string Directory::obstacle(const RegistryLink& link, std::string_view interface) const {
  if (!link.is_connected()) return link.obstacle();
  const Listing* listing = find(link, interface);
  const bool is_well = listing != nullptr && listing->providers && listing->failure.empty();
  if (is_well && is_in_hand(link, interface)) return {};
  if (is_well) return link.reason({}, "has not sent the rules yet");
  return link.reason(listing != nullptr ? listing->failure : std::string(),
                     "has not sent the list of providers yet");
}

const ListedProviders& Directory::providers(std::string_view interface) const {
  static const ListedProviders none;
  const auto found = services_.find(interface);
  return found == services_.end() ? none : found->second.merged;
}

std::uint64_t Directory::revision(std::string_view interface) const {
  const auto found = services_.find(interface);
  return found == services_.end() ? 0 : found->second.revision;
}

std::optional<ServiceStatus> Directory::status(std::string_view interface) const {
  const auto found = services_.find(interface);
  if (found == services_.end()) return std::nullopt;
  const Service& service = found->second;
  return ServiceStatus{.interface = found->first,
                       .list_in_hand = all_in_hand(service) && !service.awaits_rules,
                       .is_stale = service.brake.is_stale(),
                       .has_waiting_change = service.has_waiting_change,
                       .providers = service.merged,
                       .kept = service.brake.kept()};
}

void Directory::measure(RegistryMetrics& metrics) const {
  metrics.is_frozen = is_frozen_;
  metrics.stale_lists = 0;
  metrics.kept_providers = 0;
  metrics.waiting_lists = 0;
  for (const auto& [interface, service] : services_) {
    if (service.has_waiting_change) ++metrics.waiting_lists;
    if (service.brake.is_stale()) ++metrics.stale_lists;
    if (service.brake.keeps_any()) metrics.kept_providers += service.brake.kept().size();
  }
}

void Directory::freeze() {
  if (std::exchange(is_frozen_, true)) return;
  spdlog::warn("lists of providers are frozen: changes are not applied until POST /unfreeze");
}

void Directory::unfreeze() {
  if (!std::exchange(is_frozen_, false)) return;
  std::size_t waiting = 0;
  for (auto& [interface, service] : services_) {
    if (std::exchange(service.has_waiting_change, false)) {
      ++waiting;
      rebuild_soon(interface, service);
    } else if (service.brake.keeps_any()) {
      apply(interface, service);
    }
  }
  spdlog::warn("lists of providers follow the registries again; {} had changed meanwhile", waiting);
}

Directory::Listing* Directory::find(Service& service, const RegistryLink& link) {
  const auto found =
      std::find_if(service.listings.begin(), service.listings.end(),
                   [&link](const Listing& listing) { return listing.link == &link; });
  return found == service.listings.end() ? nullptr : &*found;
}

bool Directory::all_in_hand(const Service& service) {
  return std::all_of(service.listings.begin(), service.listings.end(),
                     [](const Listing& listing) { return listing.providers.has_value(); });
}

bool Directory::may_err(const Service& service) {
  return std::any_of(service.listings.begin(), service.listings.end(),
                     [](const Listing& listing) { return listing.link->registry().may_err(); });
}

// Away is one that has listed providers, and cannot say at present what it lists.
void Directory::tell_brake_of_registries(Service& service) const {
  const bool is_away = std::any_of(
      service.listings.begin(), service.listings.end(),
      [](const Listing& listing) { return listing.providers && !listing.link->is_connected(); });
  service.brake.set_registry_away(is_away, executor_.now());
}

ListedProviders Directory::merge(const Service& service) {
  struct Place {
    const Listing* listing;
    std::size_t index;
  };
  ListedProviders merged;
  std::unordered_set<std::string_view> seen;
  std::unordered_map<ProviderListBrake::Identity, Place> first_places;
  for (const Listing& listing : service.listings) {
    for (const ListedProvider& one : listing.providers ? *listing.providers : listing.remembered) {
      if (!seen.insert(one.text()).second) continue;
      const auto [first, is_new] = first_places.try_emplace(ProviderListBrake::identity_of(one),
                                                            Place{&listing, merged.size()});
      // Several URLs in one registry are a provider's change: who knows routes knows what they
      // mean.
      if (is_new || first->second.listing == &listing) {
        merged.push_back(one);
      } else if (ListedProvider& other = merged[first->second.index];
                 timestamp_of(one) > timestamp_of(other)) {
        other = one;
      }
    }
  }
  return merged;
}

void Directory::rebuild_soon(const std::string& interface, Service& service) {
  if (is_frozen_ && service.reported) {
    service.has_waiting_change = true;
    service.told_at.reset();
    return;
  }
  if (service.is_rebuild_planned) return;
  const Time now = executor_.now();
  const Time next = service.rebuilt_at ? *service.rebuilt_at + kRebuildPause : now;
  if (next <= now) {
    rebuild(interface, service);
    return;
  }
  service.is_rebuild_planned = true;
  executor_.post_after(std::chrono::ceil<milliseconds>(next - now), alive_.guard([this, interface] {
    const auto found = services_.find(interface);
    if (found == services_.end()) return;
    if (!std::exchange(found->second.is_rebuild_planned, false)) return;
    rebuild_soon(interface, found->second);
  }));
}

void Directory::rebuild(const std::string& interface, Service& service) {
  const Time now = executor_.now();
  service.rebuilt_at = now;
  const ListedProviders listed = merge(service);
  if (may_err(service)) {
    service.brake.update(listed, now);
  } else {
    service.brake.adopt(listed);
  }
  apply(interface, service);
}

void Directory::apply(const std::string& interface, Service& service) {
  service.brake.expire(executor_.now());
  tell_of(interface, service);
  held_.set(interface, service.brake.addresses_to_probe());
  wake_later(interface, service);
  report(interface, service);
}

void Directory::report(const std::string& interface, Service& service) {
  ListedProviders merged = service.brake.providers();
  // "No provider" is a statement that needs every registry; a provider is one as soon as it is
  // listed anywhere.
  const bool is_known = service.reported || !merged.empty() || all_in_hand(service);
  if (!is_known) return service.told_at.reset();
  const bool is_list_news = !service.reported || merged != service.merged;
  if (is_list_news) read_rules(interface, service, merged);
  service.awaits_rules = !has_rules(interface, service);
  if (service.awaits_rules) return;
  const auto told_at = std::exchange(service.told_at, std::nullopt);
  const bool is_news = is_list_news || service.rules_revision != rules_.revision(interface);
  service.merged = std::move(merged);  // also then: equal texts are shared from now on
  service.reported = true;
  store(interface, service);
  if (!is_news) return;
  if (is_list_news) service.revision = ++revisions_;
  ++metrics_.lists_applied;
  tell_sink(interface, service);
  if (told_at) sink_.on_service_told(interface, *told_at);
}

// With the first registry goes what no registry lists any more and the brake keeps: a process that
// starts while the registry is wrong must not believe it.
void Directory::store(const std::string& interface, const Service& service) {
  ListedProviders kept = service.brake.kept();
  for (const Listing& listing : service.listings) {
    if (!listing.providers) continue;  // what is remembered of it is stored already
    ListedProviders providers = *listing.providers;
    std::ranges::move(std::exchange(kept, {}), std::back_inserter(providers));
    store_.on_list(listing.link->identity(), interface, providers);
  }
}

void Directory::wake_later(const std::string& interface, Service& service) {
  const auto next = service.brake.next_deadline();
  if (!next || (service.wakes_at && *service.wakes_at <= *next)) return;
  service.wakes_at = *next;
  const auto pause = std::chrono::ceil<milliseconds>(*next - executor_.now());
  executor_.post_after(
      pause, alive_.guard([this, interface, planned = *next] { on_wake(interface, planned); }));
}

void Directory::on_wake(const std::string& interface, Time planned) {
  const auto found = services_.find(interface);
  if (found == services_.end() || found->second.wakes_at != planned) return;
  found->second.wakes_at.reset();
  // After a freeze, unfreeze() looks at it.
  if (!is_frozen_) apply(interface, found->second);
}

void Directory::on_verdict(const std::string& interface, const std::string& address, bool is_alive,
                           const std::set<std::string>& down) {
  const auto found = services_.find(interface);
  if (found == services_.end()) return;
  const bool is_news = found->second.brake.on_probe(address, is_alive, down);
  if (is_news && !is_frozen_) apply(interface, found->second);
}

// Says what the brake did, and why.
void Directory::tell_of(const std::string& interface, Service& service) {
  const ProviderListBrake::Events events = service.brake.take_events();
  if (events.braked > 0) {
    ++metrics_.brakes;
    spdlog::warn(
        "{}: {} of {} providers vanished from the registry at once; they stay until a probe finds "
        "them dead, for {} s at most, not counting times without the registry",
        interface, events.braked, events.braked_of,
        std::chrono::duration_cast<std::chrono::seconds>(protection_.hold_time).count());
  }
  if (events.went_stale) {
    ++metrics_.lists_gone_stale;
    spdlog::warn(
        "{}: the registry lists no provider any more; the last list ({} providers) stays in use "
        "for {} s at most, not counting times without the registry",
        interface, service.brake.kept().size(),
        std::chrono::duration_cast<std::chrono::seconds>(protection_.empty_list_time).count());
  }
  if (events.stale_time_over) {
    ++metrics_.stale_lists_ended;
    spdlog::warn("{}: the registry has listed no provider for long: that is believed now",
                 interface);
  }
  metrics_.held_found_dead += events.found_dead;
  metrics_.held_too_long += events.held_too_long;
  if (events.found_dead > 0) {
    spdlog::info("{}: {} of the providers that vanished are dead", interface, events.found_dead);
  }
  if (events.held_too_long > 0) {
    spdlog::warn("{}: {} providers that vanished were held long enough: they are let go", interface,
                 events.held_too_long);
  }
}

}  // namespace skiff::registry
