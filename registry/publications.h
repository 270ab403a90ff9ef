#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "dubbo/result.h"
#include "registry/control_plane.h"
#include "registry/registry_link.h"
#include "registry/saved_state.h"
#include "registry/url_stamps.h"
#include "registry/withdrawals.h"

namespace skiff::registry {

struct PublicationId {
  dubbo::ServiceKey service;
  std::uint16_t port = 0;

  // NOLINTNEXTLINE(modernize-use-nullptr): the check takes <=> of two ports for a null pointer
  auto operator<=>(const PublicationId&) const = default;
  // The publication that wrote a provider URL.
  static PublicationId of(const dubbo::Url& url);
  // For VerbWaiters and Withdrawals.
  std::string subject() const;
};

// The services that this machine wants to be in the registries, and whether they are. Lives on the
// control thread.
class Publications {
 public:
  // Both must outlive it.
  Publications(UrlStamps& stamps, Withdrawals& withdrawals)
      : stamps_(stamps), withdrawals_(withdrawals) {}

  // Remembers `request`, whose port is not 0 any more, and writes it into `links`. What is already
  // there just so keeps its URL; a changed one is written anew before the old one is withdrawn.
  // Returns warnings. Fails with kInvalidArgument, or kTooLarge over kMaxPublications. `obstacle`
  // as set_obstacle() has it.
  Result<std::vector<std::string>> publish(const PublicationRequest& request,
                                           const std::vector<RegistryLink*>& links,
                                           const std::string& obstacle);
  // Remembers what an earlier process was asked for. Of the URLs that it wrote, the one that
  // publish() would write now stays as it is; others go as soon as theirs is confirmed, or all at
  // once where there is an `obstacle`. Fails with kInvalidArgument or kTooLarge.
  Result<void> restore(const SavedState::Publication& saved,
                       const std::vector<RegistryLink*>& links, const std::string& obstacle);
  // What restore() needs, except for what it does not know: whether the application is stopping.
  std::vector<SavedState::Publication> saved() const;
  // Why it may not be in the registries, whose URLs are withdrawn then; empty: it is to be there.
  void set_obstacle(const PublicationId& id, const std::string& obstacle);
  // Forgets it and withdraws its URLs. It must be there.
  void withdraw(const PublicationId& id);
  void withdraw_all();

  bool contains(const PublicationId& id) const { return publications_.contains(id); }
  bool uses(const RegistryLink& link) const;
  // The ports that a service is published with.
  std::vector<std::uint16_t> ports_of(const dubbo::ServiceKey& service) const;
  // kRegistered when every registry confirmed, else kPending and why.
  VerbOutcome outcome(const PublicationId& id) const;
  std::vector<PublicationStatus> status() const;

  // Writes what waited for this link's advertised address; returns what the link concerns.
  std::vector<PublicationId> on_link_changed(RegistryLink& link);
  void on_registered(RegistryLink& link, const dubbo::Url& url);
  void on_register_failed(RegistryLink& link, const dubbo::Url& url, const Error& error);

 private:
  // A publication in one registry.
  struct Placement {
    RegistryLink* link = nullptr;
    std::optional<dubbo::Url> url;  // empty until the link knows what to advertise
    bool registered = false;
    std::string last_error;
    // The confirmed URL of an earlier request, until the present one is confirmed, too.
    std::optional<dubbo::Url> superseded;
    // Of an earlier process, until the link knows what to advertise.
    std::optional<dubbo::Url> inherited;
  };
  struct Publication {
    PublicationRequest request;
    std::string obstacle;  // not empty: it is kept out of the registries
    // One that is written now, whose stamp all registries get: who reads several of them sees one
    // provider.
    std::optional<dubbo::Url> stamped;
    std::vector<Placement> placements;
  };

  void replace(Publication& publication, const PublicationRequest& request,
               const std::vector<RegistryLink*>& links);
  void write(Publication& publication, Placement& placement);
  Result<dubbo::Url> new_url(const Publication& publication, const RegistryLink& link);
  void withdraw_placement(const std::string& subject, Placement& placement);
  Placement* find(const RegistryLink& link, const dubbo::Url& url);
  static std::string reason(const Publication& publication, const Placement& placement);

  UrlStamps& stamps_;
  Withdrawals& withdrawals_;
  std::map<PublicationId, Publication> publications_;
};

}  // namespace skiff::registry
