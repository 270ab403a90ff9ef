#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "agent/api_backend.h"
#include "agent/route_book.h"
#include "agent/route_compiler.h"
#include "registry/control_plane.h"
#include "registry/saved_state.h"

namespace skiff::agent {

// A control plane that remembers publications and answers at once, or as `answer` says. Lives on
// the control thread.
class FakeControlPlane final : public registry::ControlPlane {
 public:
  // What the verbs answer, by interface, where it is not success. Set before the first request.
  std::map<std::string, Result<registry::VerbOutcome>> answers;
  // Interfaces whose answer is kept until release().
  std::string hold_interface;
  std::vector<registry::RegistryStatus> registry_list;
  std::vector<registry::SubscriptionStatus> subscription_list;
  std::map<std::string, registry::ServiceStatus, std::less<>> services;

  registry::SavedState saved_state;
  std::vector<registry::LeavingStatus> leaving_urls;
  std::vector<registry::SavedList> saved_lists;
  std::vector<registry::SavedRules> saved_rules;
  registry::RegistryMetrics figures;
  registry::HealthCounts health;
  std::vector<std::string> suspended;  // interfaces
  std::vector<std::string> resumed;
  bool consumers_told = false;
  bool drained = false;
  std::vector<registry::WithdrawalStatus> withdrawn;
  std::string undrain_reason;  // of a pending answer; empty: it is done

  std::vector<registry::PublicationRequest> published;
  std::vector<registry::SubscriptionRequest> subscribed;
  std::vector<std::pair<dubbo::ServiceKey, std::uint16_t>> unpublished;
  std::vector<std::chrono::milliseconds> waits;

  void release();

  void restore(const registry::SavedState& state, std::vector<registry::SavedList> lists,
               std::vector<registry::SavedRules> rules) override {
    saved_state = state;
    saved_lists = std::move(lists);
    saved_rules = std::move(rules);
  }
  registry::SavedState state() const override { return saved_state; }
  std::vector<registry::SavedRules> rules() const override { return saved_rules; }
  void start() override {}
  void publish(registry::PublicationRequest request, std::chrono::milliseconds wait,
               registry::VerbCallback done) override;
  void subscribe(registry::SubscriptionRequest request, std::chrono::milliseconds wait,
                 registry::VerbCallback done) override;
  void unpublish(const dubbo::ServiceKey& service, std::uint16_t port,
                 std::chrono::milliseconds wait, registry::VerbCallback done) override;
  void unsubscribe(const dubbo::ServiceKey& service, std::chrono::milliseconds wait,
                   registry::VerbCallback done) override;
  void suspend(const dubbo::ServiceKey& service, std::uint16_t port, std::chrono::milliseconds wait,
               registry::VerbCallback done) override;
  void tell_consumers_to_leave() override { consumers_told = true; }
  void resume(const dubbo::ServiceKey& service, std::uint16_t port, std::chrono::milliseconds wait,
              registry::VerbCallback done) override;
  void leave_registries(std::function<void()> done) override { done(); }
  void return_to_registries() override {}
  void drain(std::chrono::milliseconds wait, registry::VerbCallback done) override;
  void undrain(std::chrono::milliseconds wait, registry::VerbCallback done) override;
  bool is_drained() const override { return drained; }
  void need_service(const std::string& /*interface*/) override {}
  void report_services_again() override {}
  void freeze() override { figures.is_frozen = true; }
  void unfreeze() override { figures.is_frozen = false; }
  void withdraw_all(std::chrono::milliseconds /*wait*/, std::function<void()> done) override {
    done();
  }
  std::vector<registry::RegistryStatus> registries() const override { return registry_list; }
  std::vector<registry::PublicationStatus> publications() const override;
  std::vector<registry::LeavingStatus> leaving() const override { return leaving_urls; }
  std::vector<registry::WithdrawalStatus> withdrawals() const override { return withdrawn; }
  std::vector<registry::SubscriptionStatus> subscriptions() const override {
    return subscription_list;
  }
  registry::SubscriptionCounts subscription_counts() const override {
    registry::SubscriptionCounts counts;
    for (const auto& one : subscription_list) {
      (one.on_demand ? counts.on_demand : counts.asked_for).count(one.list_in_hand);
      counts.providers += one.providers;
    }
    return counts;
  }
  std::optional<registry::ServiceStatus> service(std::string_view interface) const override;
  registry::RegistryMetrics metrics() const override { return figures; }
  registry::HealthCounts health_counts() const override { return health; }

 private:
  void answer(const std::string& interface, registry::VerbOutcome success,
              const registry::VerbCallback& done);

  std::vector<std::function<void()>> held_;
};

class FakeBackend final : public ApiBackend {
 public:
  forwarder::TrafficSnapshot snapshot;
  LatencyHistogram::Snapshot updates;
  std::size_t in_flight = 0;                 // for local ports
  std::vector<std::uint16_t> drained_ports;  // last asked about
  Readiness ready{.ready = true, .reason = ""};
  bool stopping = false;
  AgentConfig agent_config;
  StateReport state_report;
  RouteCompiler route_compiler;
  forwarder::ExplainRequest explained;  // last asked about
  std::optional<forwarder::Explanation> explanation;
  RouteBook route_book{FileRoutes(), nullptr, [](const auto& /*routes*/) {}};

  forwarder::TrafficSnapshot traffic() override { return snapshot; }
  LatencyHistogram::Snapshot route_updates() override { return updates; }
  AccessLogCounts access_log() override { return {.lines = 3, .dropped = 0}; }
  DescriptorStore::Counts stored_connections() override { return {.kept = 4, .not_kept = 1}; }
  double last_change_seconds() override { return 1'700'000'000; }
  forwarder::LocalTraffic local_traffic(const std::vector<std::uint16_t>& ports,
                                        std::chrono::milliseconds longest) override {
    drained_ports = ports;
    return {.in_flight = in_flight, .quiet_for = longest, .is_complete = true};
  }
  Result<Handover> upgraded = fail(ErrorCode::kUnavailable, "there is no successor");
  Result<Handover> upgrade() override { return upgraded; }
  std::uint64_t upgrades_failed() override { return 0; }
  std::vector<ListenerInfo> listeners() override { return {{"inbound", "0.0.0.0:20882"}}; }
  Readiness readiness() override { return ready; }
  bool is_stopping() override { return stopping; }
  const AgentConfig& config() override { return agent_config; }
  StateReport state() override { return state_report; }
  RouteBook& routes() override { return route_book; }
  RouteCompiler& compiler() override { return route_compiler; }
  std::optional<forwarder::Explanation> explain(const forwarder::ExplainRequest& request) override {
    explained = request;
    return explanation;
  }
};

}  // namespace skiff::agent
