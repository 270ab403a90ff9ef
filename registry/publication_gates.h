#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "registry/alive.h"
#include "registry/control_plane.h"
#include "registry/executor.h"
#include "registry/provider_checker.h"
#include "registry/provider_health.h"
#include "registry/publications.h"

namespace skiff::registry {

// Which publications may be in the registries: those whose providers pass their checks, unless the
// application has said that it is about to stop, or the agent is drained. Lives on the control
// thread.
class PublicationGates final : private CheckEvents {
 public:
  // `on_change` hears of each publication that may be registered from now on, or may not, or whose
  // obstacle is another one. `executor` must outlive it.
  PublicationGates(Executor& executor, std::string provider_host,
                   std::function<void(const PublicationId&)> on_change)
      : executor_(executor),
        provider_host_(std::move(provider_host)),
        on_change_(std::move(on_change)) {}

  Result<void> open(const CheckerFactory& make_checker);

  // Begins to check, or goes on with another check.
  void watch(const PublicationId& id, const HealthCheck& check);
  // Begins to check what an earlier process has checked. `was_registered`: it counts as up until
  // its checks fail.
  void restore(const PublicationId& id, const HealthCheck& check, bool was_registered,
               bool was_suspended);
  void forget(const PublicationId& id);
  void forget_all();

  // The application is about to stop, or is there again.
  void suspend(const PublicationId& id);
  void resume(const PublicationId& id);
  bool is_suspended(const PublicationId& id) const { return suspended_.contains(id); }

  // The machine is taken out of service: no publication may be registered until it is back. The
  // effect on those that are there comes with apply_drain().
  void drain() { is_drained_ = true; }
  void apply_drain();
  void undrain();
  bool is_drained() const { return is_drained_; }

  // Whether consumers are to go elsewhere though its provider may serve.
  bool is_to_leave(const PublicationId& id) const { return is_drained_ || is_suspended(id); }

  // Why it may not be registered; empty where it may. `check` is that of a publication that is not
  // watched yet.
  std::string obstacle(const PublicationId& id, const HealthCheck& check) const;
  // Why requests for it are refused; empty where they are not.
  std::string why_down(const PublicationId& id) const;
  // Adds what is known to a status.
  void describe(PublicationStatus& status) const;
  const HealthCounts& counts() const { return counts_; }

 private:
  void on_check_results(const std::vector<CheckResult>& results) override;
  void take(const PublicationId& id, const CheckResult& result);
  void look_again_at(const PublicationId& id, ProviderHealth::TimePoint when,
                     ProviderHealth::TimePoint now);
  void after_change(const PublicationId& id, const ProviderHealth& before,
                    const ProviderHealth& after);
  CheckTarget target_of(const PublicationId& id, const HealthCheck& check) const;
  void begin_checks(const PublicationId& id, const HealthCheck& check);
  void end_checks(const PublicationId& id, const HealthCheck& check);
  std::string provider_at(std::uint16_t port) const;
  std::vector<PublicationId> watched() const;

  Executor& executor_;
  const std::string provider_host_;
  const std::function<void(const PublicationId&)> on_change_;
  Alive alive_;
  HealthCounts counts_;
  std::map<PublicationId, ProviderHealth> health_;
  std::map<CheckTarget, std::set<PublicationId>> targets_;
  std::set<PublicationId> suspended_;
  bool is_drained_ = false;
  std::unique_ptr<ProviderChecker> checker_;  // last: it calls the others
};

}  // namespace skiff::registry
