#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "dubbo/result.h"
#include "registry/alive.h"
#include "registry/control_plane.h"
#include "registry/executor.h"
#include "registry/registry_link.h"
#include "registry/rule_book.h"
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
  // What the subjects of publications begin with, and no others.
  static constexpr std::string_view kSubjects = "publication of ";
};

// The services that this machine wants to be in the registries, and whether they are. Lives on the
// control thread.
//
// With `warmup_steps`, what comes into the registries comes with a part of its weight, and gets the
// whole one in steps (weight_steps.h), each of which replaces one node by another, the new one
// first. Its age counts from the first confirmation of a registry; it begins anew where an obstacle
// was in between, since the provider was restarted then, most likely, and where a request changes
// the URL: its timestamp is another one then, by which consumers count. A later process takes it
// from the timestamp of the step that it finds, and steps nothing whose whole weight is there
// already. A step waits until the one before is confirmed, and for a connection.
//
// What is written is what the governance rules make of a publication (Govern), as a provider of
// Dubbo does it by itself. It waits for rules that are not known yet; where they change later, a
// URL supersedes another as a step does, with its timestamp.
class Publications {
 public:
  using Govern = std::function<dubbo::Url(const dubbo::Url&, const dubbo::RuleTexts&)>;

  // All must outlive it. `warmup_steps`: 0 (none) or 2..kMaxWeightSteps.
  Publications(UrlStamps& stamps, Withdrawals& withdrawals, Executor& executor, RuleBook& rules,
               Govern govern, unsigned warmup_steps)
      : stamps_(stamps),
        withdrawals_(withdrawals),
        executor_(executor),
        rules_(rules),
        govern_(std::move(govern)),
        warmup_steps_(warmup_steps),
        random_(std::random_device{}()) {}

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
  std::vector<PublicationId> ids() const;
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
  // From the RuleBook. False where `reader` is no publication's subject().
  bool on_rules_changed(const std::string& reader);

 private:
  using TimePoint = std::chrono::steady_clock::time_point;

  // A publication in one registry.
  struct Placement {
    RegistryLink* link = nullptr;
    std::optional<dubbo::Url> url;  // empty until the link knows what to advertise
    bool registered = false;        // also where `url` is a step that is about to replace another
    bool may_be_there = false;      // registered once, or left by an earlier process
    std::string last_error;
    // The URLs of earlier requests or steps, or of an earlier process, until the present one is
    // confirmed, too.
    std::vector<dubbo::Url> superseded;
    // Of an earlier process, until the link knows what to advertise.
    std::optional<dubbo::Url> inherited;
  };
  struct Publication {
    PublicationRequest request;
    std::string obstacle;  // not empty: it is kept out of the registries
    // One that is written now, whose stamp all registries get: who reads several of them sees one
    // provider.
    std::optional<dubbo::Url> stamped;
    std::optional<TimePoint> up_since;      // empty: no registry has confirmed it yet
    std::optional<TimePoint> next_step_at;  // a timer is set for it
    std::vector<Placement> placements;
  };

  static void begin_anew(Publication& publication);
  void replace(Publication& publication, const PublicationRequest& request,
               const std::vector<RegistryLink*>& links);
  void write(Publication& publication, Placement& placement);
  std::optional<dubbo::Url> inherited_url(const Publication& publication,
                                          const Placement& placement) const;
  Result<dubbo::Url> new_url(const Publication& publication, const RegistryLink& link);
  void read_rules(const Publication& publication, const std::vector<RegistryLink*>& links);
  void stop_reading_rules(const PublicationId& id);
  // `url`, of `request`, as the rules want it.
  dubbo::Url governed(const PublicationRequest& request, dubbo::Url url) const;
  TimePoint up_since(const dubbo::Url& inherited, const dubbo::Url& wanted) const;
  std::chrono::milliseconds age_of(const Publication& publication) const;
  // Takes the steps that are due, and sets a timer for the next one.
  void step(const PublicationId& id, Publication& publication);
  std::optional<std::chrono::milliseconds> step_placement(const Publication& publication,
                                                          Placement& placement);
  void step_later(const PublicationId& id, Publication& publication,
                  std::chrono::milliseconds next_at);
  // The URL of the whole weight, where another one is there now; empty where it cannot be built.
  std::optional<dubbo::Url> wanted_url(const Publication& publication,
                                       const Placement& placement) const;
  std::string warming_up(const Publication& publication, const Placement& placement) const;
  void withdraw_placement(const std::string& subject, Placement& placement);
  Placement* find(const RegistryLink& link, const dubbo::Url& url);
  static std::string reason(const Publication& publication, const Placement& placement);

  UrlStamps& stamps_;
  Withdrawals& withdrawals_;
  Executor& executor_;
  RuleBook& rules_;
  const Govern govern_;
  const unsigned warmup_steps_;
  std::minstd_rand random_;
  std::map<PublicationId, Publication> publications_;
  std::map<std::string, PublicationId> rule_readers_;  // by subject()
  Alive alive_;
};

}  // namespace skiff::registry
