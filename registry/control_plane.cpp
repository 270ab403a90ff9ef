#include "registry/control_plane.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "registry/control_plane_impl.h"

// The making of a control plane, what it remembers, and what it shows.
namespace skiff::registry {

Result<void> check_provider_port(const ControlPlaneConfig& config, std::uint16_t port) {
  if (std::ranges::find(config.own_ports, port) == config.own_ports.end()) return {};
  return fail(ErrorCode::kInvalidArgument,
              "port " + std::to_string(port) +
                  " is the agent's own: requests would go in a circle; expected the port that the "
                  "provider itself listens on");
}

Result<std::unique_ptr<ControlPlane>> ControlPlane::create(ControlPlaneConfig config,
                                                           Executor& executor,
                                                           ControlPlaneSink& sink,
                                                           StateStore* store,
                                                           const CheckerFactory& make_checker) {
  auto advertise = parse_advertise(config.advertise);
  if (!advertise) return tl::unexpected<Error>(std::move(advertise.error()));
  if (config.inbound_port == 0) {
    return fail(ErrorCode::kInvalidArgument, "inbound port 0: expected 1..65535");
  }
  if (config.default_provider_port == 0) {
    return fail(ErrorCode::kInvalidArgument, "provider port 0: expected 1..65535");
  }
  if (auto checked = check_provider_port(config, config.default_provider_port); !checked) {
    return tl::unexpected<Error>(std::move(checked.error()));
  }
  auto plane =
      std::make_unique<ControlPlaneImpl>(std::move(config), *advertise, executor, sink, store);
  if (auto opened = plane->open(make_checker); !opened) {
    return tl::unexpected<Error>(std::move(opened.error()));
  }
  return plane;
}

Result<void> ControlPlaneImpl::restore_publication(const SavedState::Publication& saved) {
  const PublicationRequest& request = saved.request;
  const PublicationId id{request.service, request.port};
  if (auto checked = check_provider_port(config_, request.port); !checked) return checked;
  const auto links = links_.choose(request.registry);
  if (!links) return tl::unexpected<Error>(links.error());
  gates_.restore(id, request.check, !saved.written.empty(), saved.stopping);
  auto restored = publications_.restore(saved, *links, gates_.obstacle(id, request.check));
  if (!restored) {
    gates_.forget(id);
    return restored;
  }
  local_services_.add(id);
  local_services_.set_leaving(id, gates_.is_to_leave(id));
  leases_.renew(id, request.lease);
  return {};
}

Result<void> ControlPlaneImpl::restore_subscription(const SavedState::Subscription& saved) {
  return links_.choose(saved.request.registry).and_then([&](const auto& links) {
    return subscriptions_.restore(saved, links);
  });
}

void ControlPlaneImpl::restore(const SavedState& state, std::vector<SavedList> lists,
                               std::vector<SavedRules> rules) {
  links_.take_up(state.sessions);
  rules_.remember(std::move(rules));
  directory_.remember(std::move(lists));
  const auto note = [](const std::string& subject, const Result<void>& restored) {
    if (restored) return;
    spdlog::error("{} cannot be restored and is forgotten: {}", subject, restored.error().message);
  };
  if (state.drained) {
    gates_.drain();
    spdlog::warn(
        "the agent is drained, since before its start: no publication is registered until "
        "skiff undrain");
  }
  for (const SavedState::Publication& saved : state.publications) {
    note(PublicationId{saved.request.service, saved.request.port}.subject(),
         restore_publication(saved));
  }
  for (const SavedState::Subscription& saved : state.subscriptions) {
    note(Subscriptions::subject(saved.request.service), restore_subscription(saved));
  }
  for (const SavedState::Leaving& leaving : state.leaving) {
    RegistryLink* link = links_.find(leaving.written.registry);
    const auto url = dubbo::Url::parse(leaving.written.url);
    if (link == nullptr || !url) continue;
    withdrawals_.withdraw(leaving.subject, *link, *url);
    // Until its node is gone, consumers ask for it.
    const PublicationId id = PublicationId::of(*url);
    if (leaving.subject == id.subject()) local_services_.add(id);
  }
}

SavedState ControlPlaneImpl::state() const {
  if (stopping_) return final_state_;
  SavedState state{.publications = publications_.saved(),
                   .subscriptions = subscriptions_.saved(),
                   .leaving = withdrawals_.saved(),
                   .sessions = links_.saved(),
                   .drained = gates_.is_drained()};
  for (SavedState::Publication& saved : state.publications) {
    saved.stopping = gates_.is_suspended({saved.request.service, saved.request.port});
  }
  return state;
}

std::vector<RegistryStatus> ControlPlaneImpl::registries() const {
  std::vector<RegistryStatus> result;
  for (const RegistryLink* link : links_.all()) result.push_back(link->status());
  return result;
}

std::vector<PublicationStatus> ControlPlaneImpl::publications() const {
  std::vector<PublicationStatus> result = publications_.status();
  for (PublicationStatus& status : result) gates_.describe(status);
  return result;
}

std::vector<WithdrawalStatus> ControlPlaneImpl::withdrawals() const {
  std::map<std::pair<PublicationId, std::string>, std::string> reasons;
  for (const PublicationStatus& status : publications_.status()) {
    reasons[{{status.service, status.port}, status.registry}];
  }
  for (const LeavingStatus& leaving : withdrawals_.status()) {
    const auto url = dubbo::Url::parse(leaving.url);
    if (!url || url->protocol == "consumer") continue;
    reasons[{PublicationId::of(*url), leaving.registry}] = leaving.reason;
  }
  std::vector<WithdrawalStatus> result;
  result.reserve(reasons.size());
  for (auto& [key, reason] : reasons) {
    result.push_back({.service = key.first.service,
                      .port = key.first.port,
                      .registry = key.second,
                      .reason = std::move(reason)});
  }
  return result;
}

std::vector<SubscriptionStatus> ControlPlaneImpl::subscriptions() const {
  std::vector<SubscriptionStatus> result = subscriptions_.status();
  std::vector<SubscriptionStatus> on_demand = on_demand_.status();
  std::move(on_demand.begin(), on_demand.end(), std::back_inserter(result));
  return result;
}

SubscriptionCounts ControlPlaneImpl::subscription_counts() const {
  SubscriptionCounts counts;
  subscriptions_.count(counts);
  on_demand_.count(counts);
  return counts;
}

RegistryMetrics ControlPlaneImpl::metrics() const {
  RegistryMetrics metrics = metrics_;
  directory_.measure(metrics);
  rules_.measure(metrics);
  for (const RegistryLink* link : links_.all()) {
    metrics.waiting_writes += link->registry().waiting_writes();
  }
  return metrics;
}

HealthCounts ControlPlaneImpl::health_counts() const {
  HealthCounts counts = gates_.counts();
  counts.leases_ended = leases_ended_;
  return counts;
}

}  // namespace skiff::registry
