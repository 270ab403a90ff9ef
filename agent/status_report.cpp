#include "agent/status_report.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <climits>
#include <functional>
#include <nlohmann/json.hpp>

#include "agent/durations.h"
#include "agent/recent_events.h"
#include "agent/version.h"
#include "dubbo/url.h"

namespace skiff::agent {
namespace {

using nlohmann::ordered_json;

ordered_json service_key_json(const dubbo::ServiceKey& key) {
  return {{"interface", key.interface}, {"group", key.group}, {"version", key.version}};
}

ordered_json provider_json(const dubbo::Url& url, const EndpointStates& endpoints, bool is_kept) {
  constexpr std::uint64_t kDefaultWeight = 100;
  constexpr std::uint64_t kMaxWeight = 1'000'000;
  const dubbo::ServiceKey key = url.service_key();
  const auto state = endpoints.find(url.address());
  return {{"address", url.address()},
          {"group", key.group},
          {"version", key.version},
          {"application", std::string(url.parameter("application"))},
          {"weight", url.number_parameter("weight", kDefaultWeight, kMaxWeight)},
          {"tag", std::string(url.parameter("dubbo.tag", url.parameter("tag")))},
          {"connection", state == endpoints.end() ? "unused" : state->second},
          {"held", is_kept},
          {"url", url.to_string()}};
}

// The first `most` of them.
ordered_json providers_json(const registry::ListedProviders& providers, std::size_t most,
                            const EndpointStates& endpoints,
                            const registry::ListedProviders& kept) {
  ordered_json json = ordered_json::array();
  for (std::size_t i = 0; i < std::min(providers.size(), most); ++i) {
    const bool is_kept = std::ranges::binary_search(kept, providers[i], std::less<>());
    if (const auto url = dubbo::Url::parse(providers[i].text())) {
      json.push_back(provider_json(*url, endpoints, is_kept));
    }
  }
  return json;
}

SubscriptionView view_of(registry::SubscriptionStatus status, const registry::ControlPlane& plane) {
  SubscriptionView view{.status = std::move(status), .providers = {}, .kept = {}};
  auto service = plane.service(view.status.service.interface);
  if (!service) return view;
  view.is_stale = service->is_stale;
  view.kept = std::move(service->kept);
  const dubbo::ServiceKey& wanted = view.status.service;
  for (const registry::ListedProvider& provider : service->providers) {
    if (view.status.on_demand || registry::matches(wanted, provider)) {
      view.providers.push_back(provider);
    }
  }
  return view;
}

ordered_json events_json() {
  ordered_json json = ordered_json::array();
  for (const RecentEvent& event : recent_events()) {
    json.push_back({{"time", event.time}, {"level", event.level}, {"text", event.text}});
  }
  return json;
}

std::string host_name() {
  std::array<char, HOST_NAME_MAX + 1> name{};
  return gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "";
}

ordered_json traffic_json(const forwarder::TrafficSnapshot& traffic) {
  ordered_json methods = ordered_json::array();
  for (const auto& [interface, by_method] : traffic.methods) {
    for (const auto& [method, counts] : by_method) {
      methods.push_back({{"interface", interface},
                         {"method", method},
                         {"requests", counts.requests},
                         {"failures", counts.failures}});
    }
  }
  return {{"counters", traffic.counters},
          {"gauges", traffic.gauges},
          {"methods", std::move(methods)},
          {"endpoints", traffic.endpoints}};
}

// Where several keep it out, as its reason says it.
const char* state_of(const registry::PublicationStatus& status) {
  if (status.registered) return "registered";
  if (status.drained) return "drained";
  return status.suspended ? "stopping" : "pending";
}

}  // namespace

std::optional<ControlState> ask_control_state(ControlClient& control) {
  return control.ask([](registry::ControlPlane& plane) {
    ControlState state{.registries = plane.registries(),
                       .publications = plane.publications(),
                       .subscriptions = {},
                       .metrics = plane.metrics(),
                       .drained = plane.is_drained()};
    for (auto& status : plane.subscriptions()) {
      state.subscriptions.push_back(view_of(std::move(status), plane));
    }
    return state;
  });
}

ordered_json registries_json(const std::vector<registry::RegistryStatus>& registries) {
  ordered_json json = ordered_json::array();
  for (const auto& status : registries) {
    const bool has_address = !status.advertised.host.empty();
    json.push_back({{"name", status.name},
                    {"connected", status.connected},
                    {"detail", status.detail},
                    {"advertised", has_address ? dubbo::format_host_port(status.advertised.host,
                                                                         status.advertised.port)
                                               : ""},
                    {"advertised_reason", status.advertised.reason}});
  }
  return json;
}

ordered_json lists_json(const registry::RegistryMetrics& metrics) {
  return {{"frozen", metrics.is_frozen},
          {"waiting", metrics.waiting_lists},
          {"stale", metrics.stale_lists},
          {"held_providers", metrics.kept_providers}};
}

std::string reason_of(const SubscriptionView& view) {
  if (!view.status.reason.empty() || !view.is_stale) return view.status.reason;
  return "no provider is registered any more; the last list stays in use for empty_list_time";
}

ordered_json publications_json(const std::vector<registry::PublicationStatus>& publications) {
  ordered_json json = ordered_json::array();
  for (const auto& status : publications) {
    ordered_json entry = service_key_json(status.service);
    entry["port"] = status.port;
    entry["registry"] = status.registry;
    entry["state"] = state_of(status);
    entry["reason"] = status.reason;
    entry["url"] = status.url;
    if (!status.warming_up.empty()) entry["warming_up"] = status.warming_up;
    entry["health"] = status.health;
    entry["last_error"] = status.last_error;
    if (status.lease) entry["lease"] = format_duration(*status.lease);
    json.push_back(std::move(entry));
  }
  return json;
}

ordered_json leaving_json(const std::vector<registry::LeavingStatus>& leaving) {
  ordered_json json = ordered_json::array();
  for (const auto& status : leaving) {
    if (json.size() == kMaxListedInAll) break;
    json.push_back({{"registry", status.registry}, {"url", status.url}, {"reason", status.reason}});
  }
  return json;
}

ordered_json subscriptions_json(const std::vector<SubscriptionView>& subscriptions,
                                const EndpointStates& endpoints) {
  ordered_json json = ordered_json::array();
  std::size_t left = kMaxListedInAll;
  for (const SubscriptionView& view : subscriptions) {
    ordered_json entry = service_key_json(view.status.service);
    entry["registry"] = view.status.registry;
    entry["state"] = view.status.list_in_hand ? "subscribed" : "pending";
    entry["reason"] = reason_of(view);
    entry["on_demand"] = view.status.on_demand;
    entry["stale"] = view.is_stale;
    entry["providers"] = view.status.providers;
    entry["endpoints"] =
        providers_json(view.providers, std::min(left, kMaxListedProviders), endpoints, view.kept);
    left -= entry["endpoints"].size();
    json.push_back(std::move(entry));
  }
  return json;
}

ordered_json service_json(const registry::ServiceStatus& service, const EndpointStates& endpoints) {
  return {{"interface", service.interface},
          {"list_in_hand", service.list_in_hand},
          {"stale", service.is_stale},
          {"change_waiting", service.has_waiting_change},
          {"providers", service.providers.size()},
          {"endpoints",
           providers_json(service.providers, kMaxListedProviders, endpoints, service.kept)}};
}

ordered_json status_json(const ControlState& state, ApiBackend& backend) {
  const forwarder::TrafficSnapshot traffic = backend.traffic();
  const Readiness readiness = backend.readiness();
  const StateReport stored = backend.state();
  ordered_json listeners = ordered_json::array();
  for (const ListenerInfo& listener : backend.listeners()) {
    listeners.push_back({{"name", listener.name}, {"address", listener.address}});
  }
  return {{"version", version()},
          {"commit", commit()},
          {"host", host_name()},
          {"ready", readiness.ready},
          {"reason", readiness.reason},
          {"drained", state.drained},
          {"registries", registries_json(state.registries)},
          {"lists", lists_json(state.metrics)},
          {"state", {{"folder", stored.folder}, {"problem", stored.problem}}},
          {"publications", publications_json(state.publications)},
          {"subscriptions", subscriptions_json(state.subscriptions, traffic.endpoints)},
          {"listeners", std::move(listeners)},
          {"traffic", traffic_json(traffic)},
          {"events", events_json()}};
}

}  // namespace skiff::agent
