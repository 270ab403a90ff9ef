#include "registry/control_plane.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "registry/advertise_address.h"
#include "registry/alive.h"
#include "registry/directory.h"
#include "registry/endpoint_probe.h"
#include "registry/host_resolver.h"
#include "registry/local_services.h"
#include "registry/on_demand_watches.h"
#include "registry/provider_url.h"
#include "registry/publications.h"
#include "registry/registry_links.h"
#include "registry/saved_state.h"
#include "registry/state_store.h"
#include "registry/subscriptions.h"
#include "registry/url_stamps.h"
#include "registry/verb_waiters.h"
#include "registry/withdrawals.h"

namespace skiff::registry {
namespace {

// What VerbWaiters of withdraw_all() wait for.
constexpr const char* kEverything = "everything";

// Subscriptions wait for lists, which are an interface's.
std::string list_subject(const std::string& interface) { return "providers of " + interface; }

dubbo::ServiceKey normalized(dubbo::ServiceKey service) {
  service.version = dubbo::normalized_version(service.version);
  return service;
}

// Where the parts meet: verbs go to publications and subscriptions, what the registries say goes
// to both, to the directory, and to those who wait.
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
                 .check_interval = config_.lists.check_interval},
        waiters_(executor),
        links_(context_),
        probe_(executor),
        directory_(sink, executor, probe_, config_.lists, metrics_, store_),
        publications_(stamps_, withdrawals_),
        subscriptions_(stamps_, directory_, withdrawals_),
        on_demand_(executor, directory_),
        local_services_(executor, sink) {}

  Result<void> open_registries() { return links_.open_configured(config_.registries); }

  void restore(const SavedState& state, const std::vector<SavedList>& lists) override;
  SavedState state() const override;
  void start() override { links_.start(); }

  void publish(PublicationRequest request, std::chrono::milliseconds wait,
               VerbCallback done) override;
  void subscribe(SubscriptionRequest request, std::chrono::milliseconds wait,
                 VerbCallback done) override;
  void unpublish(const dubbo::ServiceKey& service, std::uint16_t port,
                 std::chrono::milliseconds wait, VerbCallback done) override;
  void unsubscribe(const dubbo::ServiceKey& service, std::chrono::milliseconds wait,
                   VerbCallback done) override;
  void need_service(const std::string& interface) override;
  void withdraw_all(std::chrono::milliseconds wait, std::function<void()> done) override;

  void freeze() override { directory_.freeze(); }
  void unfreeze() override { directory_.unfreeze(); }

  std::vector<RegistryStatus> registries() const override;
  std::vector<PublicationStatus> publications() const override { return publications_.status(); }
  std::vector<SubscriptionStatus> subscriptions() const override;
  std::optional<ServiceStatus> service(std::string_view interface) const override {
    return directory_.status(interface);
  }
  RegistryMetrics metrics() const override;

 private:
  Result<PublicationId> find_publication(const dubbo::ServiceKey& service,
                                         std::uint16_t port) const;
  VerbOutcome withdrawal_outcome(const std::string& subject, VerbState when_gone) const;
  void close_unused_links_later();
  // `done`, called when what was asked for is stored.
  VerbCallback once_stored(VerbCallback done);

  void on_link_changed(RegistryLink& link) override;
  void on_registered(RegistryLink& link, const dubbo::Url& url) override;
  void on_register_failed(RegistryLink& link, const dubbo::Url& url, const Error& error) override;
  void on_unregistered(RegistryLink& link, const dubbo::Url& url) override;
  void on_providers(RegistryLink& link, const std::string& interface,
                    const std::vector<dubbo::Url>& providers) override;
  void on_change_told(const std::string& interface,
                      std::chrono::steady_clock::time_point at) override {
    directory_.note_change(interface, at);
  }
  void on_deaf_watch_found() override { ++metrics_.deaf_watches; }
  void on_lost_node_found() override { ++metrics_.lost_nodes; }

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
  Directory directory_;
  Publications publications_;
  Subscriptions subscriptions_;
  OnDemandWatches on_demand_;
  LocalServices local_services_;
};

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

void ControlPlaneImpl::publish(PublicationRequest request, std::chrono::milliseconds wait,
                               VerbCallback done) {
  if (stopping_) return done(agent_is_stopping());
  request.service = normalized(std::move(request.service));
  if (request.port == 0) request.port = config_.default_provider_port;
  auto links = links_.choose(request.registry);
  if (!links) return done(tl::unexpected<Error>(std::move(links.error())));
  auto warnings = publications_.publish(request, *links);
  close_unused_links_later();
  if (!warnings) return done(tl::unexpected<Error>(std::move(warnings.error())));
  store_.on_state_changed();

  const PublicationId id{request.service, request.port};
  local_services_.add(id);
  waiters_.add(
      id.subject(), wait, [this, id] { return publications_.outcome(id); },
      once_stored(with_warnings(std::move(done), std::move(*warnings))));
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
    publications_.withdraw(*id);
    store_.on_state_changed();
    waiters_.check(subject);
    // Never written anywhere: there is nothing to be confirmed.
    if (!withdrawals_.is_leaving(subject)) local_services_.withdraw(*id);
    close_unused_links_later();
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

std::vector<RegistryStatus> ControlPlaneImpl::registries() const {
  std::vector<RegistryStatus> result;
  for (const RegistryLink* link : links_.all()) result.push_back(link->status());
  return result;
}

std::vector<SubscriptionStatus> ControlPlaneImpl::subscriptions() const {
  std::vector<SubscriptionStatus> result = subscriptions_.status();
  std::vector<SubscriptionStatus> on_demand = on_demand_.status();
  std::move(on_demand.begin(), on_demand.end(), std::back_inserter(result));
  return result;
}

RegistryMetrics ControlPlaneImpl::metrics() const {
  RegistryMetrics metrics = metrics_;
  directory_.measure(metrics);
  return metrics;
}

// The publication that `service` and `port` (0: not given) mean, be it there or on its way out.
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

void ControlPlaneImpl::restore(const SavedState& state, const std::vector<SavedList>& lists) {
  links_.take_up(state.sessions);
  directory_.remember(lists);
  const auto left_out = [](const std::string& subject, const Error& error) {
    spdlog::error("{} cannot be restored and is forgotten: {}", subject, error.message);
  };
  for (const SavedState::Publication& saved : state.publications) {
    const PublicationId id{saved.request.service, saved.request.port};
    const auto restored = links_.choose(saved.request.registry).and_then([&](const auto& links) {
      return publications_.restore(saved, links);
    });
    if (restored) {
      local_services_.add(id);
    } else {
      left_out(id.subject(), restored.error());
    }
  }
  for (const SavedState::Subscription& saved : state.subscriptions) {
    const auto restored = links_.choose(saved.request.registry).and_then([&](const auto& links) {
      return subscriptions_.restore(saved, links);
    });
    if (!restored) left_out(Subscriptions::subject(saved.request.service), restored.error());
  }
  for (const SavedState::Leaving& leaving : state.leaving) {
    RegistryLink* link = links_.find(leaving.written.registry);
    const auto url = dubbo::Url::parse(leaving.written.url);
    if (link != nullptr && url) withdrawals_.withdraw(leaving.subject, *link, *url);
  }
}

SavedState ControlPlaneImpl::state() const {
  if (stopping_) return final_state_;
  return {.publications = publications_.saved(),
          .subscriptions = subscriptions_.saved(),
          .leaving = withdrawals_.saved(),
          .sessions = links_.saved()};
}

// Later, because a link must not go while one of its own events is being handled.
void ControlPlaneImpl::close_unused_links_later() {
  executor_.post(alive_.guard([this] {
    links_.close_unused([this](const RegistryLink& link) {
      return publications_.uses(link) || subscriptions_.uses(link) || directory_.uses(link) ||
             withdrawals_.uses(link);
    });
  }));
}

void ControlPlaneImpl::on_link_changed(RegistryLink& link) {
  if (stopping_) return;
  subscriptions_.on_link_changed(link);
  for (const PublicationId& id : publications_.on_link_changed(link)) {
    waiters_.check(id.subject());
  }
  store_.on_state_changed();  // the session may be another one
}

void ControlPlaneImpl::on_registered(RegistryLink& link, const dubbo::Url& url) {
  publications_.on_registered(link, url);
  waiters_.check(PublicationId::of(url).subject());
}

void ControlPlaneImpl::on_register_failed(RegistryLink& link, const dubbo::Url& url,
                                          const Error& error) {
  spdlog::warn("registry {}: cannot write {} for {}: {}", link.registry().name(), url.protocol,
               url.service_key().to_string(), error.message);
  publications_.on_register_failed(link, url, error);
}

void ControlPlaneImpl::on_unregistered(RegistryLink& link, const dubbo::Url& url) {
  const auto subject = withdrawals_.on_unregistered(link, url);
  if (!subject) return;
  store_.on_state_changed();
  waiters_.check(*subject);
  waiters_.check(kEverything);
  const PublicationId id = PublicationId::of(url);
  if (!stopping_ && !publications_.contains(id) && !withdrawals_.is_leaving(*subject)) {
    local_services_.withdraw(id);
  }
  close_unused_links_later();
}

void ControlPlaneImpl::on_providers(RegistryLink& link, const std::string& interface,
                                    const std::vector<dubbo::Url>& providers) {
  directory_.set_providers(link, interface, providers);
  waiters_.check(list_subject(interface));
}

}  // namespace

Result<std::unique_ptr<ControlPlane>> ControlPlane::create(ControlPlaneConfig config,
                                                           Executor& executor,
                                                           ControlPlaneSink& sink,
                                                           StateStore* store) {
  auto advertise = parse_advertise(config.advertise);
  if (!advertise) return tl::unexpected<Error>(std::move(advertise.error()));
  if (config.inbound_port == 0) {
    return fail(ErrorCode::kInvalidArgument, "inbound port 0: expected 1..65535");
  }
  if (config.default_provider_port == 0) {
    return fail(ErrorCode::kInvalidArgument, "provider port 0: expected 1..65535");
  }
  auto plane =
      std::make_unique<ControlPlaneImpl>(std::move(config), *advertise, executor, sink, store);
  if (auto opened = plane->open_registries(); !opened) {
    return tl::unexpected<Error>(std::move(opened.error()));
  }
  return plane;
}

}  // namespace skiff::registry
