#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "agent/api_backend.h"
#include "agent/control_client.h"
#include "registry/control_plane.h"

// What the agent knows, as JSON documents; their fields are in docs/http-api.md and openapi.json.
namespace skiff::agent {

// Providers that are listed for one subscription or service, and in one document; `providers`
// counts all of them.
inline constexpr std::size_t kMaxListedProviders = 500;
inline constexpr std::size_t kMaxListedInAll = 10'000;

// Endpoint states by address, as TrafficSnapshot has them.
using EndpointStates = std::map<std::string, std::string>;

struct SubscriptionView {
  registry::SubscriptionStatus status;
  bool is_stale = false;                // its interface's list
  registry::ListedProviders providers;  // those that match it
  registry::ListedProviders kept;       // as ServiceStatus has them
};

// What the control plane knows, taken in one task of the control thread.
struct ControlState {
  std::vector<registry::RegistryStatus> registries;
  std::vector<registry::PublicationStatus> publications;
  std::vector<SubscriptionView> subscriptions;
  registry::RegistryMetrics metrics;
  bool drained = false;
};
std::optional<ControlState> ask_control_state(ControlClient& control);

nlohmann::ordered_json registries_json(const std::vector<registry::RegistryStatus>& registries);
// Whether the lists of providers follow the registries, and how many do not.
nlohmann::ordered_json lists_json(const registry::RegistryMetrics& metrics);
nlohmann::ordered_json publications_json(
    const std::vector<registry::PublicationStatus>& publications);
// Of the first kMaxListedInAll.
nlohmann::ordered_json leaving_json(const std::vector<registry::LeavingStatus>& leaving);
nlohmann::ordered_json subscriptions_json(const std::vector<SubscriptionView>& subscriptions,
                                          const EndpointStates& endpoints);
nlohmann::ordered_json service_json(const registry::ServiceStatus& service,
                                    const EndpointStates& endpoints);
// All of it, with listeners, traffic and recent events: GET /status.
nlohmann::ordered_json status_json(const ControlState& state, ApiBackend& backend);

}  // namespace skiff::agent
