// Which of the providers that rules leave gets a request.
#include <optional>

#include "forwarder/limits.h"
#include "forwarder/outbound/outbound.h"

namespace skiff::forwarder {

using governance::ClusterMode;
using governance::ProviderSet;

// Whether so many of those that can be connected to fail that they are not kept out.
bool Outbound::too_many_failing(const ClusterState& cluster, const ProviderSet& providers) {
  std::size_t failing = 0;
  std::size_t connectable = 0;
  providers.for_each([&](std::size_t i) {
    const EndpointHealth::State state = cluster.endpoints[i]->health.state();
    if (state != EndpointHealth::State::kUnreachable) ++connectable;
    if (state == EndpointHealth::State::kFailing) ++failing;
  });
  return failing * 100 > connectable * limits::kFailingPercentMax;
}

namespace {

// The first that is connected; else the first that may be.
std::optional<std::size_t> first_available(const ClusterState& cluster,
                                           const ProviderSet& providers, Usable usable) {
  std::optional<std::size_t> first;
  std::optional<std::size_t> first_connected;
  providers.for_each([&](std::size_t i) {
    if (first_connected || !usable(i)) return;
    if (!first) first = i;
    if (cluster.endpoints[i]->is_connected()) first_connected = i;
  });
  return first_connected ? first_connected : first;
}

}  // namespace

void Outbound::deliver(OutboundRequest& request, ClusterState& cluster) {
  const ClusterMode mode = request.history.mode;
  if (mode == ClusterMode::kForking || mode == ClusterMode::kBroadcast) {
    return fan_out(request, cluster);
  }
  while (const std::optional<Attempt> attempt = next_attempt(request, cluster)) {
    if (attempt->upstream != nullptr) {
      return send(request, cluster, attempt->provider, *attempt->upstream);
    }
  }
  wait_or_fail(request, cluster);
}

// Whom to ask next; nullopt where nobody is left, or enough were tried.
std::optional<Outbound::Attempt> Outbound::next_attempt(OutboundRequest& request,
                                                        ClusterState& cluster) {
  if (request.history.attempts >= limits::kAttemptsMax) return std::nullopt;
  const std::optional<std::size_t> provider = choose_provider(request, cluster);
  if (!provider) return std::nullopt;
  if (request.choice.policy->sticky) {
    cluster.sticky.note(request.view.method, *provider, cluster.endpoints);
  }
  ++request.history.attempts;
  request.tries_any = false;
  return Attempt{*provider, connect(request, *cluster.endpoints[*provider])};
}

// nullptr where it fails at once.
UpstreamConnection* Outbound::connect(OutboundRequest& request, Endpoint& endpoint) {
  UpstreamConnection* upstream = upstreams_.connection_to(endpoint, request.consumer.index);
  if (upstream == nullptr) {
    request.history.note_tried(endpoint.address, endpoint.health.last_error());
  }
  return upstream;
}

// Good ones as the policy says; else one that is leaving but still connected; else one that
// requests failed at; else any that this request has not tried: those that could not be reached may
// serve again. After a lost connection, in the end a provider that was tried once more, unless it
// must not be; of requests that wait for one that can be reached, the one that tries takes any.
std::optional<std::size_t> Outbound::choose_provider(const OutboundRequest& request,
                                                     ClusterState& cluster) {
  using Fitness = Endpoint::Fitness;
  const RequestHistory& history = request.history;
  const TimePoint now = context_.loop.now();
  std::optional<bool> too_many_fail;  // looked at only where a failing one comes up
  const auto at_best = [&](Fitness worst) {
    return pick(request, cluster, [&](std::size_t i) {
      const Endpoint& endpoint = *cluster.endpoints[i];
      if (history.is_closed_to(endpoint.address)) return false;
      const bool is_second_time = history.was_lost && history.has_tried(endpoint.address);
      if (is_second_time) return worst == Fitness::kUnreachable;
      const Fitness fitness = endpoint.fitness(now);
      if (fitness == Fitness::kFailing && worst < Fitness::kFailing) {
        if (!too_many_fail) too_many_fail = too_many_failing(cluster, *request.choice.providers);
        return *too_many_fail;
      }
      return fitness <= worst;
    });
  };
  for (const Fitness worst : {Fitness::kGood, Fitness::kLeaving, Fitness::kFailing}) {
    if (const auto chosen = at_best(worst); chosen) return chosen;
  }
  const auto untried = pick(request, cluster, [&](std::size_t i) {
    const std::string& address = cluster.endpoints[i]->address;
    return !history.has_tried(address) && !history.is_closed_to(address);
  });
  if (untried) return untried;
  const bool takes_any = history.was_lost || request.tries_any;
  return takes_any ? at_best(Fitness::kUnreachable) : std::nullopt;
}

std::optional<std::size_t> Outbound::pick(const OutboundRequest& request, ClusterState& cluster,
                                          Usable usable) {
  if (const auto meant = pick_unbalanced(request.choice, request.view, cluster, usable)) {
    return meant;
  }
  return request.choice.balancer->pick(
      {.now = context_.loop.now(), .random = context_.random, .request = &request.view}, usable);
}

// Where the policy means a certain one, without its balancer.
std::optional<std::size_t> Outbound::pick_unbalanced(const RouteChoice& choice,
                                                     const governance::RequestView& request,
                                                     const ClusterState& cluster, Usable usable) {
  if (choice.policy->mode == ClusterMode::kAvailable) {
    return first_available(cluster, *choice.providers, usable);
  }
  if (!choice.policy->sticky) return std::nullopt;
  const auto last = cluster.sticky.find(request.method, cluster.endpoints);
  return last && choice.providers->contains(*last) && usable(*last) ? last : std::nullopt;
}

}  // namespace skiff::forwarder
