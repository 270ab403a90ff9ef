#include <spdlog/spdlog.h>

#include <utility>

#include "registry/control_plane_impl.h"

// What the control plane is asked for.
namespace skiff::registry {
namespace {

dubbo::ServiceKey normalized(dubbo::ServiceKey service) {
  service.version = dubbo::normalized_version(service.version);
  return service;
}

tl::unexpected<Error> agent_is_stopping() {
  return fail(ErrorCode::kUnavailable, "the agent is stopping");
}

// The answer to a verb that was accepted adds the warnings to whatever the outcome is.
VerbCallback with_warnings(VerbCallback done, std::vector<std::string> warnings) {
  if (warnings.empty()) return done;
  return [done = std::move(done), warnings = std::move(warnings)](Result<VerbOutcome> outcome) {
    if (outcome) outcome->warnings = warnings;
    done(std::move(outcome));
  };
}

}  // namespace

void ControlPlaneImpl::publish(PublicationRequest request, std::chrono::milliseconds wait,
                               VerbCallback done) {
  if (stopping_) return done(agent_is_stopping());
  request.service = normalized(std::move(request.service));
  if (request.port == 0) request.port = config_.default_provider_port;
  if (auto checked = check_provider_port(config_, request.port); !checked) {
    return done(tl::unexpected<Error>(std::move(checked.error())));
  }
  auto links = links_.choose(request.registry);
  if (!links) return done(tl::unexpected<Error>(std::move(links.error())));
  const PublicationId id{request.service, request.port};
  auto warnings = publications_.publish(request, *links, gates_.obstacle(id, request.check));
  close_unused_links_later();
  if (!warnings) return done(tl::unexpected<Error>(std::move(warnings.error())));
  store_.on_state_changed();

  local_services_.add(id);
  gates_.watch(id, request.check);
  gates_.resume(id);  // who publishes is there again
  local_services_.set_leaving(id, gates_.is_to_leave(id));
  leases_.renew(id, request.lease);
  await_registration(id, wait, with_warnings(std::move(done), std::move(*warnings)));
}

void ControlPlaneImpl::await_registration(const PublicationId& id, std::chrono::milliseconds wait,
                                          VerbCallback done) {
  waiters_.add(
      id.subject(), wait, [this, id] { return publications_.outcome(id); },
      once_stored(std::move(done)));
}

void ControlPlaneImpl::suspend(const dubbo::ServiceKey& service, std::uint16_t port,
                               std::chrono::milliseconds wait, VerbCallback done) {
  auto id = find_present(service, port);
  if (!id) return done(tl::unexpected<Error>(std::move(id.error())));
  gates_.suspend(*id);
  store_.on_state_changed();
  const std::string subject = id->subject();
  waiters_.add(
      subject, wait,
      [this, subject] { return withdrawal_outcome(subject, VerbState::kUnregistered); },
      once_stored(std::move(done)));
}

void ControlPlaneImpl::tell_consumers_to_leave() {
  for (const PublicationId& id : publications_.ids()) {
    if (gates_.is_to_leave(id)) local_services_.set_leaving(id, true);
  }
}

void ControlPlaneImpl::drain(std::chrono::milliseconds wait, VerbCallback done) {
  if (stopping_) return done(agent_is_stopping());
  if (!gates_.is_drained()) {
    spdlog::info("drained: no publication of this agent is registered until skiff undrain");
  }
  gates_.drain();
  store_.on_state_changed();
  store_.when_stored(alive_.guard([this, wait, done = std::move(done)]() mutable {
    gates_.apply_drain();
    waiters_.add(
        kAllPublications, wait, [this] { return drain_outcome(); }, once_stored(std::move(done)));
  }));
}

VerbOutcome ControlPlaneImpl::drain_outcome() const {
  if (gates_.is_drained()) {
    const auto left = withdrawals_.first_leaving(PublicationId::kSubjects);
    return withdrawal_outcome(left.value_or(""), VerbState::kUnregistered);
  }
  VerbOutcome outcome;
  outcome.reason = "taken back by a later request (POST /undrain)";
  return outcome;
}

void ControlPlaneImpl::undrain(std::chrono::milliseconds wait, VerbCallback done) {
  if (stopping_) return done(agent_is_stopping());
  if (gates_.is_drained()) spdlog::info("undrained: publications are registered again");
  gates_.undrain();
  store_.on_state_changed();
  waiters_.check(kAllPublications);
  // Pending as long as one of them is.
  struct Gathering {
    VerbOutcome outcome;
    std::size_t missing = 0;
    VerbCallback done;
  };
  std::vector<PublicationId> ids = publications_.ids();
  std::erase_if(ids, [this](const PublicationId& id) { return gates_.is_suspended(id); });
  const auto gathering = std::make_shared<Gathering>();
  gathering->outcome.state = VerbState::kRegistered;
  gathering->missing = ids.size() + 1;
  gathering->done = once_stored(std::move(done));
  const auto take = [gathering](const Result<VerbOutcome>& outcome) {
    if (outcome && outcome->state == VerbState::kPending) gathering->outcome = *outcome;
    if (--gathering->missing == 0) gathering->done(gathering->outcome);
  };
  for (const PublicationId& id : ids) {
    waiters_.add(
        id.subject(), wait, [this, id] { return publications_.outcome(id); }, take);
  }
  take(gathering->outcome);
}

void ControlPlaneImpl::resume(const dubbo::ServiceKey& service, std::uint16_t port,
                              std::chrono::milliseconds wait, VerbCallback done) {
  auto id = find_present(service, port);
  if (!id) return done(tl::unexpected<Error>(std::move(id.error())));
  gates_.resume(*id);
  store_.on_state_changed();
  await_registration(*id, wait, std::move(done));
}

void ControlPlaneImpl::subscribe(SubscriptionRequest request, std::chrono::milliseconds wait,
                                 VerbCallback done) {
  if (stopping_) return done(agent_is_stopping());
  request.service = normalized(std::move(request.service));
  auto links = links_.choose(request.registry);
  if (!links) return done(tl::unexpected<Error>(std::move(links.error())));
  auto warnings = subscriptions_.subscribe(request, *links);
  close_unused_links_later();
  if (!warnings) return done(tl::unexpected<Error>(std::move(warnings.error())));
  store_.on_state_changed();

  const dubbo::ServiceKey service = request.service;
  waiters_.add(
      list_subject(service.interface), wait,
      [this, service] { return subscriptions_.outcome(service); },
      once_stored(with_warnings(std::move(done), std::move(*warnings))));
}

void ControlPlaneImpl::unpublish(const dubbo::ServiceKey& service, std::uint16_t port,
                                 std::chrono::milliseconds wait, VerbCallback done) {
  auto id = find_publication(normalized(service), port);
  if (!id) return done(tl::unexpected<Error>(std::move(id.error())));
  const std::string subject = id->subject();
  std::string url;
  if (publications_.contains(*id)) {
    url = publications_.outcome(*id).url;
    withdraw(*id);
  }
  waiters_.add(
      subject, wait,
      [this, subject, url] {
        VerbOutcome outcome = withdrawal_outcome(subject, VerbState::kUnregistered);
        outcome.url = url;
        return outcome;
      },
      once_stored(std::move(done)));
}

void ControlPlaneImpl::withdraw(const PublicationId& id) {
  publications_.withdraw(id);
  gates_.forget(id);
  leases_.end(id);
  store_.on_state_changed();
  waiters_.check(id.subject());
  // Never written anywhere: there is nothing to be confirmed.
  if (!withdrawals_.is_leaving(id.subject())) local_services_.withdraw(id);
  close_unused_links_later();
}

void ControlPlaneImpl::unsubscribe(const dubbo::ServiceKey& service, std::chrono::milliseconds wait,
                                   VerbCallback done) {
  const dubbo::ServiceKey key = normalized(service);
  const std::string subject = Subscriptions::subject(key);
  if (subscriptions_.contains(key)) {
    subscriptions_.withdraw(key);
    store_.on_state_changed();
    close_unused_links_later();
  } else if (!withdrawals_.is_leaving(subject)) {
    return done(fail(ErrorCode::kNotFound, "there is no subscription of " + key.to_string()));
  }
  waiters_.add(
      subject, wait,
      [this, subject] { return withdrawal_outcome(subject, VerbState::kUnsubscribed); },
      once_stored(std::move(done)));
}

void ControlPlaneImpl::need_service(const std::string& interface) {
  if (!stopping_) on_demand_.need(interface, links_.all());
}

void ControlPlaneImpl::withdraw_all(std::chrono::milliseconds wait, std::function<void()> done) {
  if (!stopping_) final_state_ = state();
  stopping_ = true;
  gates_.forget_all();
  publications_.withdraw_all();
  subscriptions_.withdraw_consumers();
  waiters_.add(
      kEverything, wait,
      [this] {
        VerbOutcome outcome;
        if (withdrawals_.is_empty()) outcome.state = VerbState::kUnregistered;
        return outcome;
      },
      [done = std::move(done)](const Result<VerbOutcome>& outcome) {
        if (outcome && outcome->state == VerbState::kPending) {
          spdlog::warn("not every registry has confirmed that what this agent wrote is gone");
        }
        done();
      });
}

Result<PublicationId> ControlPlaneImpl::find_publication(const dubbo::ServiceKey& service,
                                                         std::uint16_t port) const {
  const PublicationId exact{service, port != 0 ? port : config_.default_provider_port};
  if (publications_.contains(exact)) return exact;
  const std::vector<std::uint16_t> ports = publications_.ports_of(service);
  if (port == 0 && ports.size() == 1) return PublicationId{service, ports.front()};

  std::string listed;
  for (const std::uint16_t known : ports) {
    listed += (listed.empty() ? "" : ", ") + std::to_string(known);
  }
  if (port == 0 && ports.size() > 1) {
    return fail(ErrorCode::kInvalidArgument, "service.port is missing: " + service.to_string() +
                                                 " is published with the ports " + listed);
  }
  if (withdrawals_.is_leaving(exact.subject())) return exact;
  if (ports.empty()) {
    return fail(ErrorCode::kNotFound, "there is no publication of " + service.to_string());
  }
  return fail(ErrorCode::kNotFound, "there is no publication of " + service.to_string() +
                                        " at port " + std::to_string(port) +
                                        "; it is published with " + listed);
}

Result<PublicationId> ControlPlaneImpl::find_present(const dubbo::ServiceKey& service,
                                                     std::uint16_t port) const {
  auto id = find_publication(normalized(service), port);
  if (id && !publications_.contains(*id)) {
    return fail(ErrorCode::kNotFound, "there is no publication of " + service.to_string());
  }
  return id;
}

VerbOutcome ControlPlaneImpl::withdrawal_outcome(const std::string& subject,
                                                 VerbState when_gone) const {
  VerbOutcome outcome;
  if (withdrawals_.is_leaving(subject)) {
    outcome.reason = withdrawals_.obstacle(subject);
  } else {
    outcome.state = when_gone;
  }
  return outcome;
}

VerbCallback ControlPlaneImpl::once_stored(VerbCallback done) {
  return [&store = store_, done = std::move(done)](const Result<VerbOutcome>& outcome) {
    store.when_stored([done, outcome] { done(outcome); });
  };
}

void ControlPlaneImpl::leave_registries(std::function<void()> done) {
  const std::vector<RegistryLink*> links = links_.all();
  const auto missing = std::make_shared<std::size_t>(links.size());
  const auto shared = std::make_shared<std::function<void()>>(std::move(done));
  for (RegistryLink* link : links) {
    link->registry().leave([missing, shared] {
      if (--*missing == 0) (*shared)();
    });
  }
}

}  // namespace skiff::registry
