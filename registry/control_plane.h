#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "dubbo/consumer_identity.h"
#include "dubbo/result.h"
#include "dubbo/rule_texts.h"
#include "dubbo/service_key.h"
#include "dubbo/url.h"
#include "registry/executor.h"
#include "registry/health_check.h"
#include "registry/list_protection.h"
#include "registry/listed_provider.h"
#include "registry/provider_checker.h"
#include "registry/registry_metrics.h"

namespace skiff::registry {

// A registry that a request names (MOSN's `registry` object): "zookeeper://127.0.0.1:2181".
using RegistryName = std::string;

struct ControlPlaneConfig {
  std::vector<std::string> registries;  // as the operator gave them; empty: the embedded one, and
                                        // requests may open others
  std::string advertise;                // "", an address, address:port, or a CIDR
  std::uint16_t inbound_port = 20882;   // written to the registry unless `advertise` has one
  std::string provider_host = "127.0.0.1";  // where local providers listen; numeric
  std::uint16_t default_provider_port = 20880;
  // Of provider_host, where the agent itself listens: a provider there would be a request's way in
  // a circle.
  std::vector<std::uint16_t> own_ports{};
  std::string application = "skiff";  // where neither publication nor subscription names one
  ListProtection lists{};
  bool application_discovery = true;      // providers that Dubbo 3 registers by application, too
  bool application_registration = false;  // registers by application, too, as Dubbo 3 does
  // New publications get their weight in so many steps: 0 (at once) or 2..kMaxWeightSteps.
  unsigned warmup_steps = 0;
};

// What POST /publish asks for. `service.group` and `.version` may not be patterns here.
struct PublicationRequest {
  dubbo::ServiceKey service;
  std::uint16_t port = 0;  // where the provider listens on this machine; 0: the configured one
  std::vector<std::string> methods;
  std::string application;
  std::map<std::string, std::string> parameters;
  std::optional<RegistryName> registry;
  HealthCheck check = {};
  // It is withdrawn when it is not published again for so long.
  std::optional<std::chrono::milliseconds> lease = {};

  bool operator==(const PublicationRequest&) const = default;
};

struct SubscriptionRequest {
  dubbo::ServiceKey service;
  std::string application;
  std::map<std::string, std::string> parameters;
  std::optional<RegistryName> registry;

  bool operator==(const SubscriptionRequest&) const = default;
};

enum class VerbState { kRegistered, kUnregistered, kSubscribed, kUnsubscribed, kPending };

// The answer to a verb. kPending: accepted and remembered, and `reason` says what it waits for.
struct VerbOutcome {
  VerbState state = VerbState::kPending;
  std::string reason;
  std::string url;            // of a publication: what is, or will be, in the registry
  ListedProviders providers;  // of a subscription: the list in hand
  std::vector<std::string> warnings;
};
// Called on the control thread exactly once. Errors: kInvalidArgument (400), kNotFound (404),
// kTooLarge (a limit of ours, registry/limits.h), kUnavailable (the agent is stopping).
using VerbCallback = std::function<void(Result<VerbOutcome>)>;

struct AdvertisedAddress {
  std::string host;
  std::uint16_t port = 0;
  std::string reason;  // "route to registry 10.0.0.9:2181 leaves from eth0", "--advertise", "first
                       // address in 10.0.0.0/8: eth1"
};

// What `status` shows.
struct RegistryStatus {
  std::string name;
  bool connected = false;
  std::string detail;
  AdvertisedAddress advertised;
};
struct PublicationStatus {
  dubbo::ServiceKey service;
  std::uint16_t port = 0;
  std::string registry;
  std::string url;
  bool registered = false;
  std::string reason;           // why not
  std::string warming_up = {};  // "weight 50 of 100" where `url` is a step (weight_steps.h)
  std::string health = {};      // as name_of(HealthState) says it
  bool suspended = false;
  bool drained = false;  // the whole agent is
  std::optional<std::chrono::milliseconds> lease = {};
  std::string last_error = {};  // of the last health check that failed
};
// A URL that was asked to go from a registry, and may still be there.
struct LeavingStatus {
  std::string registry;
  std::string url;
  std::string reason;
};
// How far the withdrawal of a publication from a registry is.
struct WithdrawalStatus {
  dubbo::ServiceKey service;
  std::uint16_t port = 0;
  std::string registry;
  std::string reason;  // why a URL of it may still be there; empty: none is
};
// Health checks since start.
struct HealthCounts {
  std::uint64_t passed = 0;
  std::uint64_t failed = 0;
  std::uint64_t not_made = 0;       // for want of descriptors or memory of our own
  std::uint64_t withdrawals = 0;    // publications that had to leave the registry
  std::uint64_t registrations = 0;  // publications that may be in the registry from then on
  std::uint64_t leases_ended = 0;   // publications that were not renewed in time
};
struct SubscriptionStatus {
  dubbo::ServiceKey service;
  std::string registry;
  bool list_in_hand = false;
  std::string reason = {};  // why its list has not come, or is not what the registry holds now
  bool on_demand = false;   // made by a request on the outbound port, not through the API
  std::size_t providers = 0;
};
// The same, counted.
struct SubscriptionCounts {
  struct Lists {
    std::size_t in_hand = 0;
    std::size_t pending = 0;
    void count(bool is_in_hand) { ++(is_in_hand ? in_hand : pending); }
  };
  Lists asked_for;  // through the API
  Lists on_demand;
  std::size_t providers = 0;
};
struct ServiceStatus {
  std::string interface;
  bool list_in_hand = false;
  bool is_stale = false;            // nobody is listed any more; the last list is still in use
  bool has_waiting_change = false;  // that the freeze keeps from being applied
  ListedProviders providers;
  ListedProviders kept{};  // those among them that are not listed any more, sorted
};

// A provider of this machine, for the inbound side. Withdrawn ones stay for kLocalServiceLinger,
// since consumers learn of a withdrawal later than we do.
struct LocalService {
  dubbo::ServiceKey service;
  std::uint16_t port = 0;
  std::string down = {};  // why its provider serves nobody; empty where it serves
  bool leaving = false;   // it serves, but is about to stop: consumers are to go elsewhere
  bool operator==(const LocalService&) const = default;
};
inline constexpr std::chrono::seconds kLocalServiceLinger{30};

// What the control plane tells the data plane. Called on the control thread, only where something
// changed.
class ControlPlaneSink {
 public:
  virtual ~ControlPlaneSink() = default;
  // The providers of an interface, of every group and version, from all registries, `enabled=false`
  // left out; the rules that concern it, from all registries; and the consumer that they are to be
  // read for, the first of the interface's subscriptions. Also called where only these changed.
  virtual void on_service(const std::string& interface, std::vector<dubbo::Url> providers,
                          const dubbo::RuleTexts& rules,
                          const dubbo::ConsumerIdentity& consumer) = 0;
  // The event of a registry that on_service() just followed came at `told_at`; not called where
  // there was none, or where the change had to wait for the end of a freeze.
  virtual void on_service_told(const std::string& /*interface*/,
                               std::chrono::steady_clock::time_point /*told_at*/) {}
  // Nobody asks for this interface any more.
  virtual void on_service_gone(const std::string& interface) = 0;
  virtual void on_local_services(const std::vector<LocalService>& services) = 0;
  // What `provider`, which this machine publishes, is under these rules: that is written into the
  // registry. Pure.
  virtual dubbo::Url governed(const dubbo::Url& provider, const dubbo::RuleTexts& /*rules*/) {
    return provider;
  }
};

class StateStore;
struct SavedState;
struct SavedList;
struct SavedRules;

// Desired publications and subscriptions, what the registries say, and what follows for the data
// plane. Lives on the control thread: every call and every callback is made there.
class ControlPlane {
 public:
  // Fails with kInvalidArgument where a registry address or `advertise` is wrong. All that is given
  // by reference must outlive it. Without a `store`, nothing outlives the process.
  // `make_checker`: where health checks come from, if not from sockets.
  static Result<std::unique_ptr<ControlPlane>> create(ControlPlaneConfig config, Executor& executor,
                                                      ControlPlaneSink& sink,
                                                      StateStore* store = nullptr,
                                                      const CheckerFactory& make_checker = {});
  virtual ~ControlPlane() = default;

  // Before start(): goes on where an earlier process stopped. What cannot be gone on with, since
  // the configuration is another one, is logged and left out.
  virtual void restore(const SavedState& state, std::vector<SavedList> lists,
                       std::vector<SavedRules> rules) = 0;
  // What restore() needs. After withdraw_all(), what it was before: a restart publishes again.
  virtual SavedState state() const = 0;
  virtual std::vector<SavedRules> rules() const = 0;

  virtual void start() = 0;

  // `done` comes as soon as the registry confirms, or with kPending after `wait`; either way when
  // the store has what was asked for.
  virtual void publish(PublicationRequest request, std::chrono::milliseconds wait,
                       VerbCallback done) = 0;
  virtual void subscribe(SubscriptionRequest request, std::chrono::milliseconds wait,
                         VerbCallback done) = 0;
  // `port` 0: the configured provider port, or the only port that the service is published with.
  virtual void unpublish(const dubbo::ServiceKey& service, std::uint16_t port,
                         std::chrono::milliseconds wait, VerbCallback done) = 0;
  virtual void unsubscribe(const dubbo::ServiceKey& service, std::chrono::milliseconds wait,
                           VerbCallback done) = 0;

  // The application is about to stop: withdraws a publication, which stays remembered, until
  // resume() or publish(). kUnregistered once the registries confirmed. `port` as above.
  virtual void suspend(const dubbo::ServiceKey& service, std::uint16_t port,
                       std::chrono::milliseconds wait, VerbCallback done) = 0;
  // Has the consumers of all that is suspended, or of everything where the agent is drained, told,
  // too.
  virtual void tell_consumers_to_leave() = 0;
  // Registers it again, subject to its health: answers as publish() does.
  virtual void resume(const dubbo::ServiceKey& service, std::uint16_t port,
                      std::chrono::milliseconds wait, VerbCallback done) = 0;

  // The machine is taken out of service: withdraws every publication, and registers none that is
  // published or resumed, until undrain(). The withdrawal begins when the store has it, so that it
  // is remembered whatever happens then. kUnregistered once no publication's URL is left in any
  // registry. Fails with kUnavailable. Idempotent.
  virtual void drain(std::chrono::milliseconds wait, VerbCallback done) = 0;
  // Registers again what is neither suspended nor down. kRegistered once the registries confirmed
  // all that is not suspended. Fails with kUnavailable. Idempotent.
  virtual void undrain(std::chrono::milliseconds wait, VerbCallback done) = 0;
  virtual bool is_drained() const = 0;

  // A request for an unknown service arrived on the outbound port: watch it, if the limit allows,
  // and report the list even if it is empty.
  virtual void need_service(const std::string& interface) = 0;
  // Gives the sink all services again, since what it makes of them has changed.
  virtual void report_services_again() = 0;

  // Withdraws everything from the registries; `done` comes when all are gone or after `wait`.
  virtual void withdraw_all(std::chrono::milliseconds wait, std::function<void()> done) = 0;

  // Another process goes on with everything, as state() says it: says nothing more to registries,
  // and `done` when that is so. return_to_registries(): that process does not come.
  virtual void leave_registries(std::function<void()> done) = 0;
  virtual void return_to_registries() = 0;

  // Stops applying what registries say of providers and of rules, and goes on with what was missed.
  // Idempotent. Publications are concerned by their rules only.
  virtual void freeze() = 0;
  virtual void unfreeze() = 0;

  virtual std::vector<RegistryStatus> registries() const = 0;
  virtual std::vector<PublicationStatus> publications() const = 0;
  // Of publications and subscriptions.
  virtual std::vector<LeavingStatus> leaving() const = 0;
  // Of all publications, those included that were taken back and may still be in a registry.
  virtual std::vector<WithdrawalStatus> withdrawals() const = 0;
  virtual std::vector<SubscriptionStatus> subscriptions() const = 0;
  virtual SubscriptionCounts subscription_counts() const = 0;
  virtual std::optional<ServiceStatus> service(std::string_view interface) const = 0;
  virtual RegistryMetrics metrics() const = 0;
  virtual HealthCounts health_counts() const = 0;
};

}  // namespace skiff::registry
