#include "registry/subscriptions.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "registry/limits.h"
#include "registry/provider_url.h"

namespace skiff::registry {

std::string Subscriptions::subject(const dubbo::ServiceKey& service) {
  return "subscription of " + service.to_string();
}

Result<std::vector<std::string>> Subscriptions::subscribe(const SubscriptionRequest& request,
                                                          const std::vector<RegistryLink*>& links) {
  // A trial with any address: whatever is wrong is wrong before an address is known.
  auto trial =
      build_consumer_url(request, stamps_.next({.host = "127.0.0.1", .port = 0, .reason = {}}));
  if (!trial) return tl::unexpected<Error>(std::move(trial.error()));

  const auto found = subscriptions_.find(request.service);
  if (found == subscriptions_.end() && subscriptions_.size() >= kMaxSubscriptions) {
    return fail(ErrorCode::kTooLarge, "this agent holds " + std::to_string(subscriptions_.size()) +
                                          " subscriptions, which is the limit");
  }
  const std::string& interface = request.service.interface;
  const bool is_new = found == subscriptions_.end();
  Subscription& subscription = is_new ? subscriptions_[request.service] : found->second;
  // Before the interface is watched for it, so that its first route is made for it.
  const bool is_other = is_new || subscription.request.application != request.application ||
                        subscription.request.parameters != request.parameters;
  replace(subscription, request, links);
  if (is_other) {
    directory_.on_consumers_changed(interface, first_of(interface) == &subscription.request);
  }
  return std::move(trial->warnings);
}

void Subscriptions::replace(Subscription& subscription, const SubscriptionRequest& request,
                            const std::vector<RegistryLink*>& links) {
  SubscriptionRequest wanted = request;
  wanted.registry = subscription.request.registry;  // says where, not what
  const bool changed = !(subscription.request == wanted);
  subscription.request = request;

  std::vector<Placement> old = std::exchange(subscription.placements, {});
  for (RegistryLink* link : links) {
    const auto known = std::find_if(old.begin(), old.end(),
                                    [&](const Placement& one) { return one.link == link; });
    Placement placement{.link = link, .consumer = {}, .inherited = {}};
    if (known != old.end() && !changed) {
      placement = std::move(*known);
      old.erase(known);
    } else {
      // Before the old one goes, so that the list stays in hand.
      directory_.add_interest(*link, request.service.interface);
      write(request, placement);
    }
    subscription.placements.push_back(std::move(placement));
  }
  for (const Placement& left : old) remove(request.service, left);
}

void Subscriptions::write(const SubscriptionRequest& request, Placement& placement) {
  RegistryLink& link = *placement.link;
  if (!link.advertised()) return;
  std::optional<dubbo::Url> inherited;
  if (auto url = dubbo::Url::parse(placement.inherited)) inherited = std::move(*url);
  const auto same = stamps_.same_again(
      *link.advertised(), inherited,
      [&request](const UrlContext& context) { return build_consumer_url(request, context); });
  if (same) {
    placement.inherited.clear();
    placement.consumer = same->to_string();
    link.keep(*same);
    return;
  }
  const auto built = build_consumer_url(request, stamps_.next(*link.advertised()));
  if (!built) {  // a longer address than that of the trial may be what is too much
    spdlog::warn("{}: no consumer node: {}", subject(request.service), built.error().message);
    return;
  }
  take_back(request.service, link, std::exchange(placement.inherited, {}));
  placement.consumer = built->url.to_string();
  link.write(built->url);
}

Result<void> Subscriptions::restore(const SavedState::Subscription& saved,
                                    const std::vector<RegistryLink*>& links) {
  const dubbo::ServiceKey& service = saved.request.service;
  auto trial = build_consumer_url(saved.request,
                                  stamps_.next({.host = "127.0.0.1", .port = 0, .reason = {}}));
  if (!trial) return tl::unexpected<Error>(std::move(trial.error()));
  if (subscriptions_.size() >= kMaxSubscriptions) {
    return fail(ErrorCode::kTooLarge,
                "the limit is " + std::to_string(kMaxSubscriptions) + " subscriptions");
  }
  Subscription& subscription = subscriptions_[service];
  subscription = {.request = saved.request, .placements = {}};
  for (RegistryLink* link : links) {
    Placement placement{.link = link, .consumer = {}, .inherited = {}};
    for (const SavedState::Written& written : saved.written) {
      if (written.registry != link->identity()) continue;
      if (dubbo::Url::parse(written.url)) placement.inherited = written.url;
    }
    directory_.add_interest(*link, service.interface);
    write(saved.request, placement);
    subscription.placements.push_back(std::move(placement));
  }
  if (first_of(service.interface) != &subscription.request) {
    directory_.on_consumers_changed(service.interface, false);
  }
  return {};
}

std::vector<SavedState::Subscription> Subscriptions::saved() const {
  std::vector<SavedState::Subscription> result;
  result.reserve(subscriptions_.size());
  for (const auto& [service, subscription] : subscriptions_) {
    SavedState::Subscription saved{.request = subscription.request, .written = {}};
    for (const Placement& placement : subscription.placements) {
      for (const auto* url : {&placement.consumer, &placement.inherited}) {
        if (!url->empty()) saved.written.push_back({placement.link->identity(), *url});
      }
    }
    result.push_back(std::move(saved));
  }
  return result;
}

void Subscriptions::take_back(const dubbo::ServiceKey& service, RegistryLink& link,
                              const std::string& url) {
  if (const auto parsed = dubbo::Url::parse(url)) {
    withdrawals_.withdraw(subject(service), link, *parsed);
  }
}

void Subscriptions::remove(const dubbo::ServiceKey& service, const Placement& placement) {
  take_back(service, *placement.link, placement.consumer);
  take_back(service, *placement.link, placement.inherited);
  directory_.drop_interest(*placement.link, service.interface);
}

void Subscriptions::withdraw(const dubbo::ServiceKey& service) {
  const bool was_first = first_of(service.interface) == &subscriptions_.at(service).request;
  auto taken = subscriptions_.extract(service);
  for (const Placement& placement : taken.mapped().placements) remove(service, placement);
  directory_.on_consumers_changed(service.interface, was_first);
}

void Subscriptions::withdraw_consumers() {
  for (auto& [service, subscription] : subscriptions_) {
    for (Placement& placement : subscription.placements) {
      take_back(service, *placement.link, std::exchange(placement.consumer, {}));
      take_back(service, *placement.link, std::exchange(placement.inherited, {}));
    }
  }
}

bool Subscriptions::uses(const RegistryLink& link) const {
  return std::any_of(subscriptions_.begin(), subscriptions_.end(), [&link](const auto& entry) {
    const auto& placements = entry.second.placements;
    return std::any_of(placements.begin(), placements.end(),
                       [&link](const Placement& placement) { return placement.link == &link; });
  });
}

VerbOutcome Subscriptions::outcome(const dubbo::ServiceKey& service) const {
  VerbOutcome outcome;
  const auto found = subscriptions_.find(service);
  if (found == subscriptions_.end()) {
    outcome.reason = "taken back by a later request";
    return outcome;
  }
  outcome.state = VerbState::kSubscribed;
  outcome.providers = matching(service);
  for (const Placement& placement : found->second.placements) {
    if (directory_.is_in_hand(*placement.link, service.interface)) continue;
    outcome.state = VerbState::kPending;
    outcome.reason = directory_.obstacle(*placement.link, service.interface);
    break;
  }
  return outcome;
}

const SubscriptionRequest* Subscriptions::first_of(const std::string& interface) const {
  const auto first = subscriptions_.lower_bound({interface, "", ""});
  const bool is_there = first != subscriptions_.end() && first->first.interface == interface;
  return is_there ? &first->second.request : nullptr;
}

InterfaceConsumers Subscriptions::consumers_of(const std::string& interface,
                                               const std::string& application) const {
  InterfaceConsumers consumers;
  for (auto entry = subscriptions_.lower_bound({interface, "", ""});
       entry != subscriptions_.end() && entry->first.interface == interface; ++entry) {
    const SubscriptionRequest& request = entry->second.request;
    consumers.services.push_back(entry->first);
    consumers.applications.push_back(request.application.empty() ? application
                                                                 : request.application);
  }
  if (consumers.applications.empty()) consumers.applications.push_back(application);
  consumers.identity.application = consumers.applications.front();
  if (const SubscriptionRequest* first = first_of(interface)) {
    consumers.identity.parameters = first->parameters;
  }
  return consumers;
}

std::vector<SubscriptionStatus> Subscriptions::status() const {
  std::vector<SubscriptionStatus> result;
  for (const auto& [key, subscription] : subscriptions_) {
    const dubbo::ServiceKey& service = key;
    const std::size_t providers = count_matching(service, subscription);
    for (const Placement& placement : subscription.placements) {
      result.push_back({.service = service,
                        .registry = placement.link->registry().name(),
                        .list_in_hand = directory_.is_in_hand(*placement.link, service.interface),
                        .reason = directory_.obstacle(*placement.link, service.interface),
                        .on_demand = false,
                        .providers = providers});
    }
  }
  return result;
}

void Subscriptions::count(SubscriptionCounts& counts) const {
  for (const auto& [service, subscription] : subscriptions_) {
    const std::size_t providers = count_matching(service, subscription);
    for (const Placement& placement : subscription.placements) {
      counts.asked_for.count(directory_.is_in_hand(*placement.link, service.interface));
      counts.providers += providers;
    }
  }
}

void Subscriptions::on_link_changed(RegistryLink& link) {
  for (auto& [service, subscription] : subscriptions_) {
    for (Placement& placement : subscription.placements) {
      if (placement.link == &link && placement.consumer.empty())
        write(subscription.request, placement);
    }
  }
}

ListedProviders Subscriptions::matching(const dubbo::ServiceKey& service) const {
  ListedProviders result;
  std::ranges::copy_if(directory_.providers(service.interface), std::back_inserter(result),
                       [&service](const ListedProvider& one) { return matches(service, one); });
  return result;
}

// Each provider's text has to be read for it, which takes 0.1 s for 200,000 of them: once a list.
std::size_t Subscriptions::count_matching(const dubbo::ServiceKey& service,
                                          const Subscription& subscription) const {
  MatchingProviders& known = subscription.counted;
  const std::uint64_t revision = directory_.revision(service.interface);
  if (known.revision != revision) {
    const auto is_match = [&service](const ListedProvider& one) { return matches(service, one); };
    known = {revision, static_cast<std::size_t>(std::ranges::count_if(
                           directory_.providers(service.interface), is_match))};
  }
  return known.number;
}

}  // namespace skiff::registry
