#include "governance/service_route.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <tuple>
#include <utility>

namespace skiff::governance {
namespace {

using std::chrono::milliseconds;

constexpr std::uint64_t kWeightMax = 1'000'000;
constexpr std::uint64_t kWarmupMaxMs = 24ULL * 3600 * 1000;
constexpr std::uint64_t kTimeoutMaxMs = 24ULL * 3600 * 1000;
constexpr std::uint64_t kDefaultWeight = 100;
constexpr std::uint64_t kDefaultWarmupMs = 600'000;
constexpr std::uint64_t kRetriesMax = 10;
constexpr std::string_view kDefaultPrefix = "default.";
constexpr std::string_view kMethodTimeoutSuffix = ".timeout";
constexpr std::string_view kMethodRetriesSuffix = ".retries";

bool is_numeric_address(const std::string& host) {
  std::array<unsigned char, sizeof(in6_addr)> parsed{};
  return inet_pton(AF_INET, host.c_str(), parsed.data()) == 1 ||
         inet_pton(AF_INET6, host.c_str(), parsed.data()) == 1;
}

// Why `url` cannot be called; empty where it can.
std::string reason_to_drop(const dubbo::Url& url) {
  if (url.protocol != "dubbo") return "its protocol is " + url.protocol + ", expected dubbo";
  if (url.port == 0) return "it names no port";
  if (url.parameter("enabled") == "false") return "enabled=false";
  if (url.parameter("disabled") == "true") return "disabled=true";
  if (!is_numeric_address(url.host)) {
    return "its host is not a numeric address, and names are not resolved";
  }
  return {};
}

std::int64_t timestamp_of(const dubbo::Url& url) {
  return static_cast<std::int64_t>(
      url.number_parameter("timestamp", 0, static_cast<std::uint64_t>(INT64_MAX)));
}

// "sayHello" for "sayHello.timeout"; empty where `key` does not end with `suffix`.
std::string_view method_in(std::string_view key, std::string_view suffix) {
  return key.ends_with(suffix) ? key.substr(0, key.size() - suffix.size()) : std::string_view();
}

MethodSettings& settings_for(std::string_view method, ProviderEndpoint& provider) {
  const auto found = std::ranges::find(provider.methods, method, &MethodSettings::method);
  if (found != provider.methods.end()) return *found;
  return provider.methods.emplace_back(
      MethodSettings{.method = std::string(method), .timeout = {}, .retries = {}});
}

// What is no number allows none, as in Dubbo.
std::uint32_t retries_in(const dubbo::Url& url, std::string_view key) {
  constexpr std::uint64_t kAny = UINT32_MAX;
  return static_cast<std::uint32_t>(std::min(url.number_parameter(key, 0, kAny), kRetriesMax));
}

// What Dubbo 2 writes for all services of a provider counts where nothing else is said.
std::string key_or_default(const dubbo::Url& url, const std::string& key) {
  return url.parameter(key).empty() ? std::string(kDefaultPrefix) + key : key;
}

void read_method_parameters(const dubbo::Url& url, ProviderEndpoint& provider) {
  for (const auto& [key, value] : url.parameters) {
    if (value.empty() || key.starts_with(kDefaultPrefix)) continue;
    if (const std::string_view method = method_in(key, kMethodTimeoutSuffix); !method.empty()) {
      const std::uint64_t timeout_ms = url.number_parameter(key, 0, kTimeoutMaxMs);
      if (timeout_ms > 0) settings_for(method, provider).timeout = milliseconds(timeout_ms);
    }
    if (const std::string_view method = method_in(key, kMethodRetriesSuffix); !method.empty()) {
      settings_for(method, provider).retries = retries_in(url, key);
    }
  }
}

// Of Dubbo's cluster modes only this one calls another provider.
void forbid_retries_unless_failover(const dubbo::Url& url, ProviderEndpoint& provider) {
  const std::string_view cluster = url.parameter(key_or_default(url, "cluster"));
  if (cluster.empty() || cluster == "failover") return;
  provider.retries = 0;
  for (MethodSettings& method : provider.methods) method.retries.reset();
}

ProviderEndpoint read_provider(const dubbo::Url& url) {
  ProviderEndpoint provider;
  provider.host = url.host;
  provider.port = url.port;
  provider.weight =
      static_cast<std::uint32_t>(url.number_parameter("weight", kDefaultWeight, kWeightMax));
  provider.warmup = milliseconds(url.number_parameter("warmup", kDefaultWarmupMs, kWarmupMaxMs));
  provider.started_at_ms = timestamp_of(url);
  provider.timeout =
      milliseconds(url.number_parameter(key_or_default(url, "timeout"), 0, kTimeoutMaxMs));
  const std::string retries = key_or_default(url, "retries");
  if (!url.parameter(retries).empty()) provider.retries = retries_in(url, retries);
  read_method_parameters(url, provider);
  forbid_retries_unless_failover(url, provider);
  provider.token = url.parameter("token");
  return provider;
}

bool same_address(const ProviderEndpoint& a, const ProviderEndpoint& b) {
  return a.host == b.host && a.port == b.port;
}

Cluster& cluster_of(ServiceRoute& route, const dubbo::ServiceKey& key) {
  for (Cluster& cluster : route.clusters) {
    if (cluster.group == key.group && cluster.version == key.version) return cluster;
  }
  return route.clusters.emplace_back(Cluster{key.group, key.version, {}});
}

void sort_route(ServiceRoute& route) {
  std::ranges::sort(route.clusters, {},
                    [](const Cluster& c) { return std::tie(c.version, c.group); });
  for (Cluster& cluster : route.clusters) {
    std::ranges::sort(cluster.providers, {},
                      [](const ProviderEndpoint& p) { return std::tie(p.host, p.port); });
    cluster.providers.shrink_to_fit();
  }
  route.clusters.shrink_to_fit();
}

}  // namespace

const MethodSettings* ProviderEndpoint::settings_of(std::string_view method) const {
  const auto found = std::ranges::find(methods, method, &MethodSettings::method);
  return found == methods.end() ? nullptr : &*found;
}

Retries retries_of(const Cluster& cluster, const ProviderEndpoint& provider,
                   std::optional<std::string_view> method) {
  Retries retries{
      .count = provider.retries.value_or(cluster.providers.size() > 1 ? kDefaultRetries : 0),
      .elsewhere_only = !provider.retries};
  if (method) {
    const MethodSettings* own = provider.settings_of(*method);
    if (own != nullptr && own->retries) retries = {.count = *own->retries};
    return retries;
  }
  for (const MethodSettings& one : provider.methods) {
    retries.count = std::min(retries.count, one.retries.value_or(retries.count));
  }
  return retries;
}

CompiledRoute compile_service_route(const std::string& interface,
                                    const std::vector<dubbo::Url>& providers) {
  CompiledRoute compiled;
  compiled.route.interface = interface;
  for (const dubbo::Url& url : providers) {
    if (std::string reason = reason_to_drop(url); !reason.empty()) {
      std::string& sentence = compiled.dropped.emplace_back("provider ");
      sentence.append(url.address()).append(" of ").append(interface);
      sentence.append(" is left out: ").append(reason);
      continue;
    }
    Cluster& cluster = cluster_of(compiled.route, url.service_key());
    ProviderEndpoint provider = read_provider(url);
    auto known = std::ranges::find_if(
        cluster.providers, [&](const ProviderEndpoint& p) { return same_address(p, provider); });
    if (known == cluster.providers.end()) {
      cluster.providers.push_back(std::move(provider));
    } else if (provider.started_at_ms > known->started_at_ms) {
      *known = std::move(provider);  // the node of a previous life of this provider is still there
    }
  }
  sort_route(compiled.route);
  return compiled;
}

std::uint32_t effective_weight(const ProviderEndpoint& provider, std::int64_t now_ms) {
  if (provider.weight == 0 || provider.started_at_ms <= 0) return provider.weight;
  const std::int64_t warmup_ms = provider.warmup.count();
  const std::int64_t uptime_ms = std::max<std::int64_t>(now_ms - provider.started_at_ms, 0);
  if (uptime_ms >= warmup_ms) return provider.weight;
  const auto grown =
      static_cast<std::uint32_t>(static_cast<double>(uptime_ms) / static_cast<double>(warmup_ms) *
                                 static_cast<double>(provider.weight));
  return std::clamp<std::uint32_t>(grown, 1, provider.weight);
}

}  // namespace skiff::governance
