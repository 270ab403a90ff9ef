#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "dubbo/service_key.h"
#include "dubbo/url.h"

namespace skiff::governance {

// A provider as the data plane needs it.
struct ProviderEndpoint {
  std::string host;  // numeric IPv4 or IPv6
  std::uint16_t port = 0;
  std::uint32_t weight = 100;           // 0: gets no traffic
  std::chrono::milliseconds warmup{0};  // 0: full weight at once
  std::int64_t started_at_ms = 0;       // the URL's `timestamp`, Unix time; 0: unknown, full weight
  std::chrono::milliseconds timeout{0};  // 0: the configuration's
  std::map<std::string, std::chrono::milliseconds, std::less<>> method_timeouts;
  // How often a request that was sent and lost with its connection is sent again.
  std::uint32_t retries = 0;
  std::map<std::string, std::uint32_t, std::less<>> method_retries;
  std::string token;          // sent as attachment where not empty
  std::string serialization;  // what the provider's URL prefers; "" where it says nothing

  bool operator==(const ProviderEndpoint&) const = default;
};

// The providers of one group and version of an interface.
struct Cluster {
  std::string group;
  std::string version;  // normalized
  std::vector<ProviderEndpoint> providers;

  bool operator==(const Cluster&) const = default;
};

// How requests for one interface are routed; immutable once compiled.
struct ServiceRoute {
  std::string interface;
  std::vector<Cluster> clusters;  // sorted by version, then group

  bool operator==(const ServiceRoute&) const = default;
};

// Compiles what the registry lists. Pure. URLs of another protocol than dubbo, with `enabled=false`
// or `disabled=true`, without port, or whose host is not a numeric address are left out, each with
// a sentence in `dropped`. One address is one provider, however many registries list it.
struct CompiledRoute {
  ServiceRoute route;
  std::vector<std::string> dropped;
};
CompiledRoute compile_service_route(const std::string& interface,
                                    const std::vector<dubbo::Url>& providers);

// The weight of a provider at `now_ms` (Unix time): grows from 1 to `weight` over `warmup` since
// `started_at_ms` (protocol.md 2, "Weights"). A start in the future counts as now.
std::uint32_t effective_weight(const ProviderEndpoint& provider, std::int64_t now_ms);

}  // namespace skiff::governance
