#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dubbo/url.h"

namespace skiff::governance {

// What a provider's URL says of one method rather than of all.
struct MethodSettings {
  std::string method;
  std::optional<std::chrono::milliseconds> timeout;
  std::optional<std::uint32_t> retries;
  bool timeout_is_a_rule = false;  // as in ProviderEndpoint

  bool operator==(const MethodSettings&) const = default;
};

// A provider as the data plane needs it. An agent holds hundreds of thousands.
struct ProviderEndpoint {
  std::string host;  // numeric IPv4 or IPv6
  std::uint16_t port = 0;
  bool timeout_is_a_rule = false;       // `timeout` beats the one that a request asks for
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

// Why the provider that `url` names cannot be called: another protocol than dubbo, `enabled=false`,
// `disabled=true`, no port, a host that is not a numeric address. Empty where it can.
std::string why_not_callable(const dubbo::Url& url);

// The URL's `timestamp`, Unix time; 0 where it says none.
std::int64_t started_at_ms_of(const dubbo::Url& url);

// What `url` says of a provider that can be called. Numbers that are none, or out of range, are as
// if they were not there; a number of retries that is none allows none, as in Dubbo.
// `before_rules`: the same without configurators, where there are any.
ProviderEndpoint read_provider(const dubbo::Url& url, const dubbo::Url* before_rules = nullptr);

// The weight of a provider at `now_ms` (Unix time): grows from 1 to `weight` over `warmup` since
// `started_at_ms` (protocol.md 2, "Weights"). A start in the future counts as now.
std::uint32_t effective_weight(const ProviderEndpoint& provider, std::int64_t now_ms);

}  // namespace skiff::governance
