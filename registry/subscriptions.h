#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "dubbo/result.h"
#include "registry/control_plane.h"
#include "registry/directory.h"
#include "registry/registry_link.h"
#include "registry/saved_state.h"
#include "registry/url_stamps.h"
#include "registry/withdrawals.h"

namespace skiff::registry {

// The services that consumers of this machine asked for through the API: a consumer node in each
// registry, for consoles to see, and an interest in the directory. Lives on the control thread.
class Subscriptions {
 public:
  // All must outlive it.
  Subscriptions(UrlStamps& stamps, Directory& directory, Withdrawals& withdrawals)
      : stamps_(stamps), directory_(directory), withdrawals_(withdrawals) {}

  // For Withdrawals, and for VerbWaiters of unsubscribe().
  static std::string subject(const dubbo::ServiceKey& service);

  // Remembers `request` and watches its interface in `links`. Returns warnings. Fails with
  // kInvalidArgument, or kTooLarge over kMaxSubscriptions.
  Result<std::vector<std::string>> subscribe(const SubscriptionRequest& request,
                                             const std::vector<RegistryLink*>& links);
  // Remembers what an earlier process was asked for; a consumer node that it wrote stays as it is,
  // unless subscribe() would write another one now. Fails with kInvalidArgument or kTooLarge.
  Result<void> restore(const SavedState::Subscription& saved,
                       const std::vector<RegistryLink*>& links);
  std::vector<SavedState::Subscription> saved() const;
  // Forgets it and withdraws its consumer nodes. It must be there.
  void withdraw(const dubbo::ServiceKey& service);
  // Withdraws all consumer nodes, but keeps the lists, which calls in flight still need.
  void withdraw_consumers();

  bool contains(const dubbo::ServiceKey& service) const { return subscriptions_.contains(service); }
  bool uses(const RegistryLink& link) const;
  // kSubscribed with the matching providers when every registry sent its list, else kPending and
  // why.
  VerbOutcome outcome(const dubbo::ServiceKey& service) const;
  std::vector<SubscriptionStatus> status() const;
  // Adds what status() would tell.
  void count(SubscriptionCounts& counts) const;
  // Who asks for an interface; `application` is that of those who name none. The first in the order
  // of groups and versions is the one that routes are made for.
  InterfaceConsumers consumers_of(const std::string& interface,
                                  const std::string& application) const;

  // Writes the consumer nodes that waited for this link's advertised address.
  void on_link_changed(RegistryLink& link);

 private:
  // A subscription in one registry. Its URLs are kept as texts, which take an eighth: there are
  // many, and each is needed twice in its life.
  struct Placement {
    RegistryLink* link = nullptr;
    std::string consumer;   // empty until the link knows what to advertise
    std::string inherited;  // of an earlier process, until then
  };
  struct MatchingProviders {
    std::uint64_t revision = 0;  // of the interface's providers
    std::size_t number = 0;
  };
  struct Subscription {
    SubscriptionRequest request;
    std::vector<Placement> placements;
    mutable MatchingProviders counted = {};  // when they were last counted
  };

  // Whom routes of `interface` are made for, its host and a default application aside.
  const SubscriptionRequest* first_of(const std::string& interface) const;
  void replace(Subscription& subscription, const SubscriptionRequest& request,
               const std::vector<RegistryLink*>& links);
  void write(const SubscriptionRequest& request, Placement& placement);
  // Takes back `url`, one of a placement's, where it is not empty.
  void take_back(const dubbo::ServiceKey& service, RegistryLink& link, const std::string& url);
  void remove(const dubbo::ServiceKey& service, const Placement& placement);
  ListedProviders matching(const dubbo::ServiceKey& service) const;
  std::size_t count_matching(const dubbo::ServiceKey& service,
                             const Subscription& subscription) const;

  UrlStamps& stamps_;
  Directory& directory_;
  Withdrawals& withdrawals_;
  std::map<dubbo::ServiceKey, Subscription> subscriptions_;
};

}  // namespace skiff::registry
