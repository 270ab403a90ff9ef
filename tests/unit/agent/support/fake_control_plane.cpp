#include "support/fake_control_plane.h"

#include <algorithm>

namespace skiff::agent {

using registry::VerbOutcome;
using registry::VerbState;

namespace {

VerbOutcome in_state(VerbState state) {
  VerbOutcome outcome;
  outcome.state = state;
  return outcome;
}

}  // namespace

void FakeControlPlane::release() {
  for (const auto& answer : std::exchange(held_, {})) answer();
}

void FakeControlPlane::answer(const std::string& interface, VerbOutcome success,
                              const registry::VerbCallback& done) {
  const auto prepared = answers.find(interface);
  const Result<VerbOutcome> outcome =
      prepared == answers.end() ? Result<VerbOutcome>(std::move(success)) : prepared->second;
  if (interface == hold_interface) {
    held_.emplace_back([done, outcome] { done(outcome); });
  } else {
    done(outcome);
  }
}

void FakeControlPlane::publish(registry::PublicationRequest request, std::chrono::milliseconds wait,
                               registry::VerbCallback done) {
  VerbOutcome outcome = in_state(VerbState::kRegistered);
  outcome.url = "dubbo://10.0.0.5:20882/" + request.service.interface;
  const std::string interface = request.service.interface;
  published.push_back(std::move(request));
  waits.push_back(wait);
  answer(interface, std::move(outcome), done);
}

void FakeControlPlane::subscribe(registry::SubscriptionRequest request,
                                 std::chrono::milliseconds wait, registry::VerbCallback done) {
  const std::string interface = request.service.interface;
  subscribed.push_back(std::move(request));
  waits.push_back(wait);
  answer(interface, in_state(VerbState::kSubscribed), done);
}

void FakeControlPlane::unpublish(const dubbo::ServiceKey& service, std::uint16_t port,
                                 std::chrono::milliseconds wait, registry::VerbCallback done) {
  unpublished.emplace_back(service, port);
  waits.push_back(wait);
  answer(service.interface, in_state(VerbState::kUnregistered), done);
}

void FakeControlPlane::unsubscribe(const dubbo::ServiceKey& service, std::chrono::milliseconds wait,
                                   registry::VerbCallback done) {
  waits.push_back(wait);
  answer(service.interface, in_state(VerbState::kUnsubscribed), done);
}

void FakeControlPlane::suspend(const dubbo::ServiceKey& service, std::uint16_t /*port*/,
                               std::chrono::milliseconds wait, registry::VerbCallback done) {
  suspended.push_back(service.interface);
  waits.push_back(wait);
  answer(service.interface, in_state(VerbState::kUnregistered), done);
}

void FakeControlPlane::resume(const dubbo::ServiceKey& service, std::uint16_t /*port*/,
                              std::chrono::milliseconds wait, registry::VerbCallback done) {
  resumed.push_back(service.interface);
  waits.push_back(wait);
  answer(service.interface, in_state(VerbState::kRegistered), done);
}

void FakeControlPlane::drain(std::chrono::milliseconds wait, registry::VerbCallback done) {
  drained = true;
  waits.push_back(wait);
  done(in_state(VerbState::kUnregistered));
}

void FakeControlPlane::undrain(std::chrono::milliseconds wait, registry::VerbCallback done) {
  drained = false;
  waits.push_back(wait);
  VerbOutcome outcome =
      in_state(undrain_reason.empty() ? VerbState::kRegistered : VerbState::kPending);
  outcome.reason = undrain_reason;
  done(outcome);
}

std::vector<registry::PublicationStatus> FakeControlPlane::publications() const {
  std::vector<registry::PublicationStatus> list;
  for (const auto& request : published) {
    list.push_back({.service = request.service,
                    .port = request.port,
                    .registry = "memory",
                    .url = "dubbo://10.0.0.5:20882/" + request.service.interface,
                    .registered = !drained,
                    .reason = drained ? "drained" : "",
                    .health = "up",
                    .suspended = std::find(suspended.begin(), suspended.end(),
                                           request.service.interface) != suspended.end(),
                    .drained = drained,
                    .last_error = ""});
  }
  return list;
}

std::optional<registry::ServiceStatus> FakeControlPlane::service(std::string_view interface) const {
  const auto found = services.find(interface);
  return found == services.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace skiff::agent
