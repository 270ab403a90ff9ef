#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "registry/advertise_address.h"
#include "registry/alive.h"
#include "registry/control_plane.h"
#include "registry/directory.h"
#include "registry/endpoint_probe.h"
#include "registry/host_resolver.h"
#include "registry/leases.h"
#include "registry/local_services.h"
#include "registry/on_demand_watches.h"
#include "registry/publication_gates.h"
#include "registry/publications.h"
#include "registry/registry_links.h"
#include "registry/rule_book.h"
#include "registry/saved_state.h"
#include "registry/state_store.h"
#include "registry/subscriptions.h"
#include "registry/url_stamps.h"
#include "registry/verb_waiters.h"
#include "registry/withdrawals.h"

namespace skiff::registry {

// What VerbWaiters of withdraw_all() wait for.
inline constexpr const char* kEverything = "everything";

// What those of drain() wait for.
inline constexpr const char* kAllPublications = "all publications";

// Subscriptions wait for lists, which are an interface's.
inline std::string list_subject(const std::string& interface) {
  return "providers of " + interface;
}

// Fails with kInvalidArgument where a provider cannot be there.
Result<void> check_provider_port(const ControlPlaneConfig& config, std::uint16_t port);

// Where the parts meet: verbs (control_plane_verbs.cpp) go to publications and subscriptions, what
// the registries and the parts say (control_plane_events.cpp) goes to both, to the directory, and
// to those who wait.
class ControlPlaneImpl final : public ControlPlane, private RegistryLinkEvents {
 public:
  ControlPlaneImpl(ControlPlaneConfig config, const AdvertiseSpec& advertise, Executor& executor,
                   ControlPlaneSink& sink, StateStore* store)
      : config_(std::move(config)),
        advertise_(advertise),
        executor_(executor),
        store_(store != nullptr ? *store : no_store_),
        stamps_(config_.application),
        resolver_(executor),
        context_{.executor = executor,
                 .resolver = resolver_,
                 .events = *this,
                 .store = store_,
                 .advertise = advertise_,
                 .inbound_port = config_.inbound_port,
                 .options = {.check_interval = config_.lists.check_interval,
                             .application_discovery = config_.application_discovery,
                             .application_registration = config_.application_registration}},
        waiters_(executor),
        links_(context_),
        probe_(executor),
        rules_(
            executor, store_, metrics_,
            [this](const std::string& reader, auto told_at) { on_rules_changed(reader, told_at); }),
        directory_(sink, executor, probe_, config_.lists, metrics_, store_, rules_,
                   [this](const std::string& interface) {
                     return subscriptions_.consumers_of(interface, config_.application);
                   }),
        publications_(
            stamps_, withdrawals_, executor, rules_,
            [&sink](const dubbo::Url& provider, const dubbo::RuleTexts& rules) {
              return sink.governed(provider, rules);
            },
            config_.warmup_steps),
        subscriptions_(stamps_, directory_, withdrawals_),
        on_demand_(executor, directory_),
        local_services_(executor, sink),
        gates_(executor, config_.provider_host,
               [this](const PublicationId& id) { on_gate_changed(id); }),
        leases_(executor, [this](const PublicationId& id) { on_lease_ended(id); }) {}

  Result<void> open(const CheckerFactory& make_checker) {
    return links_.open_configured(config_.registries).and_then([&] {
      return gates_.open(make_checker ? make_checker : socket_checker(config_.provider_host));
    });
  }

  void restore(const SavedState& state, std::vector<SavedList> lists,
               std::vector<SavedRules> rules) override;
  SavedState state() const override;
  std::vector<SavedRules> rules() const override { return rules_.saved(); }
  void start() override { links_.start(); }
  void leave_registries(std::function<void()> done) override;
  void return_to_registries() override {
    for (RegistryLink* link : links_.all()) link->registry().return_to_it();
  }

  void publish(PublicationRequest request, std::chrono::milliseconds wait,
               VerbCallback done) override;
  void subscribe(SubscriptionRequest request, std::chrono::milliseconds wait,
                 VerbCallback done) override;
  void unpublish(const dubbo::ServiceKey& service, std::uint16_t port,
                 std::chrono::milliseconds wait, VerbCallback done) override;
  void unsubscribe(const dubbo::ServiceKey& service, std::chrono::milliseconds wait,
                   VerbCallback done) override;
  void suspend(const dubbo::ServiceKey& service, std::uint16_t port, std::chrono::milliseconds wait,
               VerbCallback done) override;
  void tell_consumers_to_leave() override;
  void resume(const dubbo::ServiceKey& service, std::uint16_t port, std::chrono::milliseconds wait,
              VerbCallback done) override;
  void drain(std::chrono::milliseconds wait, VerbCallback done) override;
  void undrain(std::chrono::milliseconds wait, VerbCallback done) override;
  bool is_drained() const override { return gates_.is_drained(); }
  void need_service(const std::string& interface) override;
  void report_services_again() override { directory_.report_all_again(); }
  void withdraw_all(std::chrono::milliseconds wait, std::function<void()> done) override;

  void freeze() override {
    directory_.freeze();
    rules_.freeze();
  }
  void unfreeze() override {
    rules_.unfreeze();
    directory_.unfreeze();
  }

  std::vector<RegistryStatus> registries() const override;
  std::vector<LeavingStatus> leaving() const override { return withdrawals_.status(); }
  std::vector<WithdrawalStatus> withdrawals() const override;
  std::vector<PublicationStatus> publications() const override;
  std::vector<SubscriptionStatus> subscriptions() const override;
  SubscriptionCounts subscription_counts() const override;
  std::optional<ServiceStatus> service(std::string_view interface) const override {
    return directory_.status(interface);
  }
  RegistryMetrics metrics() const override;
  HealthCounts health_counts() const override;

 private:
  void await_registration(const PublicationId& id, std::chrono::milliseconds wait,
                          VerbCallback done);
  // The publication that `service` and `port` (0: not given) mean, be it there or on its way out.
  Result<PublicationId> find_publication(const dubbo::ServiceKey& service,
                                         std::uint16_t port) const;
  // The same where it is there, not on its way out.
  Result<PublicationId> find_present(const dubbo::ServiceKey& service, std::uint16_t port) const;
  VerbOutcome withdrawal_outcome(const std::string& subject, VerbState when_gone) const;
  VerbOutcome drain_outcome() const;
  void close_unused_links_later();
  // `done`, called when what was asked for is stored.
  VerbCallback once_stored(VerbCallback done);
  Result<void> restore_publication(const SavedState::Publication& saved);
  Result<void> restore_subscription(const SavedState::Subscription& saved);
  void withdraw(const PublicationId& id);
  void on_gate_changed(const PublicationId& id);
  void on_lease_ended(const PublicationId& id);

  void on_link_changed(RegistryLink& link) override;
  void on_registered(RegistryLink& link, const dubbo::Url& url) override;
  void on_register_failed(RegistryLink& link, const dubbo::Url& url, const Error& error) override;
  void on_unregister_failed(RegistryLink& link, const dubbo::Url& url, const Error& error) override;
  void on_list_failed(RegistryLink& link, const std::string& interface,
                      const Error& error) override;
  void on_unregistered(RegistryLink& link, const dubbo::Url& url) override;
  void on_providers(RegistryLink& link, const std::string& interface,
                    const std::vector<dubbo::Url>& providers) override;
  void on_rules(RegistryLink& link, const RuleSubject& subject,
                const ReportedRules& reported) override {
    rules_.on_rules(link, subject, reported);
  }
  void on_rules_failed(RegistryLink& link, const RuleSubject& subject,
                       const Error& error) override {
    rules_.on_rules_failed(link, subject, error);
  }
  void on_rules_changed(const std::string& reader,
                        std::optional<std::chrono::steady_clock::time_point> told_at);
  void on_change_told(const std::string& interface,
                      std::chrono::steady_clock::time_point at) override {
    directory_.note_change(interface, at);
  }
  void on_deaf_watch_found() override { ++metrics_.deaf_watches; }
  void on_lost_node_found() override { ++metrics_.lost_nodes; }
  void on_application_fault(ApplicationFault fault) override {
    ++metrics_.application_faults[static_cast<std::size_t>(fault)];
  }
  void on_session_lost() override { ++metrics_.lost_sessions; }

  const ControlPlaneConfig config_;
  const AdvertiseSpec advertise_;
  Executor& executor_;
  Alive alive_;
  NoStateStore no_store_;
  StateStore& store_;
  bool stopping_ = false;
  SavedState final_state_;  // once stopping
  UrlStamps stamps_;
  HostResolver resolver_;
  const RegistryLinkContext context_;
  VerbWaiters waiters_;
  Withdrawals withdrawals_;
  RegistryLinks links_;
  RegistryMetrics metrics_;
  EndpointProbe probe_;
  RuleBook rules_;
  Directory directory_;
  Publications publications_;
  Subscriptions subscriptions_;
  OnDemandWatches on_demand_;
  LocalServices local_services_;
  PublicationGates gates_;
  Leases leases_;
  std::uint64_t leases_ended_ = 0;
};

}  // namespace skiff::registry
