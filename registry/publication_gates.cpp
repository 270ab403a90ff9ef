#include "registry/publication_gates.h"

#include <spdlog/spdlog.h>

#include <utility>

namespace skiff::registry {

Result<void> PublicationGates::open(const CheckerFactory& make_checker) {
  auto checker = make_checker(executor_, *this);
  if (!checker) return tl::unexpected<Error>(std::move(checker.error()));
  checker_ = std::move(*checker);
  return {};
}

void PublicationGates::watch(const PublicationId& id, const HealthCheck& check) {
  const auto found = health_.find(id);
  if (found == health_.end()) {
    health_.emplace(id, ProviderHealth(check));
    return begin_checks(id, check);
  }
  const ProviderHealth before = found->second;
  if (before.check() == check) return begin_checks(id, check);
  found->second.set_check(check);
  begin_checks(id, check);
  if (target_of(id, before.check()) != target_of(id, check)) end_checks(id, before.check());
  after_change(id, before, found->second);
}

void PublicationGates::restore(const PublicationId& id, const HealthCheck& check,
                               bool was_registered, bool was_suspended) {
  HealthCheck before = check;
  if (was_registered) before.type = HealthCheck::Type::kNone;
  ProviderHealth health(before);
  if (was_registered) health.set_check(check);
  health_.insert_or_assign(id, std::move(health));
  begin_checks(id, check);
  if (was_suspended) suspended_.insert(id);
}

void PublicationGates::begin_checks(const PublicationId& id, const HealthCheck& check) {
  if (check.type == HealthCheck::Type::kNone) return;
  const CheckTarget target = target_of(id, check);
  targets_[target].insert(id);
  checker_->watch(target);
}

void PublicationGates::end_checks(const PublicationId& id, const HealthCheck& check) {
  const auto found = targets_.find(target_of(id, check));
  if (found == targets_.end()) return;
  found->second.erase(id);
  if (!found->second.empty()) return;
  checker_->unwatch(found->first);
  targets_.erase(found);
}

void PublicationGates::forget(const PublicationId& id) {
  const auto found = health_.find(id);
  if (found == health_.end()) return;
  end_checks(id, found->second.check());
  health_.erase(found);
  suspended_.erase(id);
}

void PublicationGates::suspend(const PublicationId& id) {
  if (health_.contains(id) && suspended_.insert(id).second) on_change_(id);
}

void PublicationGates::resume(const PublicationId& id) {
  if (suspended_.erase(id) == 0) return;
  health_.at(id).forgive();
  on_change_(id);
}

void PublicationGates::apply_drain() {
  if (!is_drained_) return;
  for (const PublicationId& id : watched()) on_change_(id);
}

// Whoever is drained is worked on: what went down meanwhile is held against no provider.
void PublicationGates::undrain() {
  if (!std::exchange(is_drained_, false)) return;
  for (auto& [id, health] : health_) health.forgive();
  for (const PublicationId& id : watched()) on_change_(id);
}

// A copy: what a change leads to may end checks.
std::vector<PublicationId> PublicationGates::watched() const {
  std::vector<PublicationId> ids;
  ids.reserve(health_.size());
  for (const auto& [id, health] : health_) ids.push_back(id);
  return ids;
}

void PublicationGates::forget_all() {
  while (!health_.empty()) forget(PublicationId(health_.begin()->first));
}

CheckTarget PublicationGates::target_of(const PublicationId& id, const HealthCheck& check) const {
  return {
      .port = id.port, .type = check.type, .interval = check.interval, .timeout = check.timeout};
}

void PublicationGates::on_check_results(const std::vector<CheckResult>& results) {
  for (const CheckResult& result : results) {
    switch (result.outcome) {
      case CheckResult::Outcome::kPassed:
        ++counts_.passed;
        break;
      case CheckResult::Outcome::kFailed:
        ++counts_.failed;
        break;
      case CheckResult::Outcome::kNotMade:
        ++counts_.not_made;
        spdlog::warn("{} could not be checked: {}", provider_at(result.target.port), result.error);
        continue;
    }
    const auto found = targets_.find(result.target);
    if (found == targets_.end()) continue;
    // A copy: what a change leads to may end checks.
    const std::set<PublicationId> concerned = found->second;
    for (const PublicationId& id : concerned) take(id, result);
  }
}

void PublicationGates::take(const PublicationId& id, const CheckResult& result) {
  const auto found = health_.find(id);
  if (found == health_.end()) return;
  ProviderHealth& health = found->second;
  const ProviderHealth before = health;
  if (result.outcome == CheckResult::Outcome::kPassed) {
    health.on_success(result.at);
  } else {
    health.on_failure(result.at, result.error);
  }
  if (const auto when = health.recovers_at(); when && when != before.recovers_at()) {
    look_again_at(id, *when, result.at);
  }
  after_change(id, before, health);
}

void PublicationGates::look_again_at(const PublicationId& id, ProviderHealth::TimePoint when,
                                     ProviderHealth::TimePoint now) {
  const auto wait = std::chrono::ceil<std::chrono::milliseconds>(when - now);
  executor_.post_after(wait, alive_.guard([this, id, when] {
    const auto found = health_.find(id);
    if (found == health_.end() || found->second.recovers_at() != when) return;
    const ProviderHealth before = found->second;
    found->second.on_time(when);
    after_change(id, before, found->second);
  }));
}

void PublicationGates::after_change(const PublicationId& id, const ProviderHealth& before,
                                    const ProviderHealth& after) {
  const bool is_other_state = before.state() != after.state();
  if (!is_other_state && before.obstacle() == after.obstacle()) return;
  if (is_other_state) {
    const bool is_bad = after.state() == HealthState::kDown;
    if (before.may_be_registered() && !after.may_be_registered()) ++counts_.withdrawals;
    if (!before.may_be_registered() && after.may_be_registered()) ++counts_.registrations;
    const std::string why = after.may_be_registered() ? "" : ": it " + after.obstacle();
    spdlog::log(is_bad ? spdlog::level::warn : spdlog::level::info, "{}: {} is {}{}", id.subject(),
                provider_at(id.port), name_of(after.state()), why);
  }
  on_change_(id);
}

std::string PublicationGates::provider_at(std::uint16_t port) const {
  return "the provider at " + dubbo::format_host_port(provider_host_, port);
}

std::string PublicationGates::obstacle(const PublicationId& id, const HealthCheck& check) const {
  if (is_drained_) return "the agent is drained (POST /drain)";
  if (is_suspended(id)) return "the application said that it is about to stop (POST /stopping)";
  const auto found = health_.find(id);
  const std::string obstacle =
      found == health_.end() ? ProviderHealth(check).obstacle() : found->second.obstacle();
  return obstacle.empty() ? obstacle : provider_at(id.port) + " " + obstacle;
}

std::string PublicationGates::why_down(const PublicationId& id) const {
  const auto found = health_.find(id);
  if (found == health_.end() || found->second.state() != HealthState::kDown) return {};
  return provider_at(id.port) + " " + found->second.obstacle();
}

void PublicationGates::describe(PublicationStatus& status) const {
  const auto found = health_.find({status.service, status.port});
  if (found == health_.end()) return;
  status.suspended = is_suspended({status.service, status.port});
  status.drained = is_drained_;
  status.health = name_of(found->second.state());
  status.last_error = found->second.last_error();
}

}  // namespace skiff::registry
