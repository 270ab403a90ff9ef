#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "registry/control_plane.h"
#include "registry/registry_link.h"
#include "registry/saved_state.h"
#include "registry/state_store.h"

namespace skiff::registry {

// The providers of every interface that somebody is interested in, as all registries list them
// together. One watch an interface and registry, however many ask for it. A registry that is away
// keeps its last list here, and in the store: what an earlier process knew is used until the
// registry says otherwise. Lives on the control thread.
class Directory {
 public:
  // All must outlive it. `sink` hears of an interface when its merged list is first in hand, and at
  // every change of it.
  Directory(Executor& executor, ControlPlaneSink& sink, StateStore& store)
      : executor_(executor), sink_(sink), store_(store) {}

  // Lists of an earlier process, for interfaces that somebody becomes interested in before
  // kRememberedListExpiry.
  void remember(const std::vector<SavedList>& lists);

  void add_interest(RegistryLink& link, const std::string& interface);
  // Takes back one add_interest().
  void drop_interest(RegistryLink& link, const std::string& interface);
  bool has_interest(std::string_view interface) const;
  bool uses(const RegistryLink& link) const;

  // What a registry lists now; ignored where nobody is interested any more.
  void set_providers(const RegistryLink& link, const std::string& interface,
                     const std::vector<dubbo::Url>& providers);
  // Tells the sink again what it was told last, for a reader that may have missed it.
  void report_again(const std::string& interface);

  // True once `link` has sent its list.
  bool is_in_hand(const RegistryLink& link, std::string_view interface) const;
  // The merged list.
  const std::vector<dubbo::Url>& providers(std::string_view interface) const;
  std::optional<ServiceStatus> status(std::string_view interface) const;

 private:
  struct Listing {
    RegistryLink* link = nullptr;
    std::size_t interested = 0;
    std::optional<std::vector<dubbo::Url>> providers;
    std::vector<dubbo::Url> remembered;  // stands in for `providers` until they come
  };
  struct Service {
    std::vector<Listing> listings;  // in the order of first interest
    std::vector<dubbo::Url> merged;
    bool reported = false;
  };

  static Listing* find(Service& service, const RegistryLink& link);
  static bool all_in_hand(const Service& service);
  // Enabled ones only; identical URLs once.
  static std::vector<dubbo::Url> merge(const Service& service);
  void refresh(const std::string& interface, Service& service);

  using RegistryAndInterface = std::pair<std::string, std::string>;

  std::vector<dubbo::Url> take_remembered(const RegistryLink& link, const std::string& interface);
  void forget_remembered();

  Executor& executor_;
  ControlPlaneSink& sink_;
  StateStore& store_;
  Alive alive_;
  std::map<RegistryAndInterface, std::vector<dubbo::Url>> remembered_;  // and not asked for yet
  std::map<std::string, Service, std::less<>> services_;
};

}  // namespace skiff::registry
