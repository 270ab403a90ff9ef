#include "governance/provider_endpoint.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <string_view>
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

bool is_a_rule(const dubbo::Url& url, std::string_view key, const dubbo::Url* before_rules) {
  return before_rules != nullptr && url.parameter(key) != before_rules->parameter(key);
}

void read_method_parameters(const dubbo::Url& url, const dubbo::Url* before_rules,
                            ProviderEndpoint& provider) {
  for (const auto& [key, value] : url.parameters) {
    if (value.empty() || key.starts_with(kDefaultPrefix)) continue;
    if (const std::string_view method = method_in(key, kMethodTimeoutSuffix); !method.empty()) {
      const std::uint64_t timeout_ms = url.number_parameter(key, 0, kTimeoutMaxMs);
      if (timeout_ms > 0) {
        MethodSettings& settings = settings_for(method, provider);
        settings.timeout = milliseconds(timeout_ms);
        settings.timeout_is_a_rule = is_a_rule(url, key, before_rules);
      }
    }
    if (const std::string_view method = method_in(key, kMethodRetriesSuffix); !method.empty()) {
      settings_for(method, provider).retries = retries_in(url, key);
    }
  }
}

}  // namespace

const MethodSettings* ProviderEndpoint::settings_of(std::string_view method) const {
  const auto found = std::ranges::find(methods, method, &MethodSettings::method);
  return found == methods.end() ? nullptr : &*found;
}

std::string why_not_callable(const dubbo::Url& url) {
  if (url.protocol != "dubbo") return "its protocol is " + url.protocol + ", expected dubbo";
  if (url.port == 0) return "it names no port";
  if (url.parameter("enabled") == "false") return "enabled=false";
  if (url.parameter("disabled") == "true") return "disabled=true";
  if (!is_numeric_address(url.host)) {
    return "its host is not a numeric address, and names are not resolved";
  }
  return {};
}

std::int64_t started_at_ms_of(const dubbo::Url& url) {
  return static_cast<std::int64_t>(
      url.number_parameter("timestamp", 0, static_cast<std::uint64_t>(INT64_MAX)));
}

ProviderEndpoint read_provider(const dubbo::Url& url, const dubbo::Url* before_rules) {
  ProviderEndpoint provider;
  provider.host = url.host;
  provider.port = url.port;
  provider.weight =
      static_cast<std::uint32_t>(url.number_parameter("weight", kDefaultWeight, kWeightMax));
  provider.warmup = milliseconds(url.number_parameter("warmup", kDefaultWarmupMs, kWarmupMaxMs));
  provider.started_at_ms = started_at_ms_of(url);
  const std::string timeout = key_or_default(url, "timeout");
  provider.timeout = milliseconds(url.number_parameter(timeout, 0, kTimeoutMaxMs));
  provider.timeout_is_a_rule =
      provider.timeout.count() > 0 && is_a_rule(url, timeout, before_rules);
  const std::string retries = key_or_default(url, "retries");
  if (!url.parameter(retries).empty()) provider.retries = retries_in(url, retries);
  read_method_parameters(url, before_rules, provider);
  provider.token = url.parameter("token");
  return provider;
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
