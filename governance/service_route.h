#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dubbo/service_key.h"
#include "dubbo/url.h"

namespace skiff::governance {

// What a provider's URL says of one method rather than of all.
struct MethodSettings {
  std::string method;
  std::optional<std::chrono::milliseconds> timeout;
  std::optional<std::uint32_t> retries;

  bool operator==(const MethodSettings&) const = default;
};

// A provider as the data plane needs it. An agent holds hundreds of thousands.
struct ProviderEndpoint {
  std::string host;  // numeric IPv4 or IPv6
  std::uint16_t port = 0;
  std::uint32_t weight = 100;           // 0: gets no traffic
  std::chrono::milliseconds warmup{0};  // 0: full weight at once
  std::int64_t started_at_ms = 0;       // the URL's `timestamp`, Unix time; 0: unknown, full weight
  std::chrono::milliseconds timeout{0};  // 0: the configuration's
  // How often a request that was sent and lost with its connection is sent again; where its URL
  // does not say, see retries_of().
  std::optional<std::uint32_t> retries;
  std::vector<MethodSettings> methods;  // each once
  std::string token;                    // sent as attachment where not empty

  // nullptr where the URL says nothing of this method.
  const MethodSettings* settings_of(std::string_view method) const;

  bool operator==(const ProviderEndpoint&) const = default;
};

// The providers of one group and version of an interface.
struct Cluster {
  std::string group;
  std::string version;  // normalized
  std::vector<ProviderEndpoint> providers;

  bool operator==(const Cluster&) const = default;
};

// Dubbo's own (protocol.md 2, "Cluster modes").
inline constexpr std::uint32_t kDefaultRetries = 2;

struct Retries {
  std::uint32_t count = 0;
  bool elsewhere_only = false;  // not at a provider that was sent the request already
};
// For a call that one of the cluster's providers is sent. Where its URL does not say, the default
// is for calls that may go to another one: one that stands alone, or has lost a call already, is
// asked again only where it says that it may be. `method`: nothing where it is not known, which
// allows no more than the strictest one does.
Retries retries_of(const Cluster& cluster, const ProviderEndpoint& provider,
                   std::optional<std::string_view> method);

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
