#include "agent/settings.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <utility>

#include "agent/durations.h"
#include "agent/text.h"
#include "dubbo/url.h"
#include "registry/advertise_address.h"
#include "registry/ip_address.h"
#include "registry/limits.h"
#include "registry/registry_identity.h"

namespace skiff::agent {
namespace {

using std::chrono::milliseconds;
using namespace std::chrono_literals;
using Values = std::vector<std::string>;

tl::unexpected<Error> unexpected_value(const std::string& text, const std::string& expected) {
  return fail(ErrorCode::kInvalidArgument, "came " + in_quotes(text) + ", expected " + expected);
}

// Puts what was read where `target` points to, or hands the error on.
template <typename T, typename Target>
Result<void> store(Result<T> read, Target& target) {
  if (!read) return tl::unexpected<Error>(std::move(read.error()));
  target = static_cast<Target>(std::move(*read));
  return {};
}

Result<milliseconds> duration_between(const std::string& text, milliseconds min, milliseconds max) {
  auto duration = parse_duration(text);
  if (duration && (*duration < min || *duration > max)) {
    return unexpected_value(
        text, "a duration from " + format_duration(min) + " to " + format_duration(max));
  }
  return duration;
}

Result<void> apply_api(AgentConfig& config, const Values& values) {
  if (values.empty()) {
    return fail(ErrorCode::kInvalidArgument, "came an empty list, expected at least one address");
  }
  std::vector<ApiAddress> addresses;
  for (const std::string& value : values) {
    auto address = parse_api_address(value);
    if (!address) return tl::unexpected<Error>(std::move(address.error()));
    addresses.push_back(std::move(*address));
  }
  config.api = std::move(addresses);
  return {};
}

Result<void> apply_outbound(AgentConfig& config, const Values& values) {
  return store(parse_listen_address(values.front(), true), config.forwarder.outbound);
}

Result<void> apply_inbound(AgentConfig& config, const Values& values) {
  return store(parse_listen_address(values.front(), false), config.forwarder.inbound);
}

Result<void> apply_provider(AgentConfig& config, const Values& values) {
  auto address = parse_listen_address(values.front(), false);
  if (!address || address->port == 0) {
    return unexpected_value(values.front(), "a numeric address with a port (127.0.0.1:20880)");
  }
  config.forwarder.provider_host = address->host;
  config.forwarder.provider_port = address->port;
  return {};
}

Result<void> apply_registry(AgentConfig& config, const Values& values) {
  for (const std::string& value : values) {
    if (auto identity = registry::registry_identity(value); !identity) {
      return tl::unexpected<Error>(std::move(identity.error()));
    }
  }
  config.registries = values;
  return {};
}

Result<void> apply_advertise(AgentConfig& config, const Values& values) {
  if (auto spec = registry::parse_advertise(values.front()); !spec) {
    return tl::unexpected<Error>(std::move(spec.error()));
  }
  config.advertise = values.front();
  return {};
}

Result<void> apply_application(AgentConfig& config, const Values& values) {
  const std::string& name = values.front();
  const bool is_clean = std::all_of(name.begin(), name.end(), [](char c) {
    return static_cast<unsigned char>(c) > ' ' &&
           std::string_view("&=?%+/,").find(c) == std::string_view::npos;
  });
  if (name.empty() || name.size() > registry::kMaxNameBytes || !is_clean) {
    return unexpected_value(name, "a name without spaces and without & = ? % + / ,");
  }
  config.application = name;
  return {};
}

Result<void> apply_state_dir(AgentConfig& config, const Values& values) {
  if (!values.front().starts_with('/')) return unexpected_value(values.front(), "an absolute path");
  config.state_dir = values.front();
  return {};
}

Result<void> apply_workers(AgentConfig& config, const Values& values) {
  return store(parse_number(values.front(), 1, 256), config.forwarder.workers);
}

Result<void> apply_log_level(AgentConfig& config, const Values& values) {
  static constexpr std::array<std::string_view, 5> kLevels = {"debug", "info", "warn", "error",
                                                              "off"};
  if (std::find(kLevels.begin(), kLevels.end(), values.front()) == kLevels.end()) {
    return unexpected_value(values.front(), "debug, info, warn, error or off");
  }
  config.log_level = values.front();
  return {};
}

Result<void> apply_body_limit(AgentConfig& config, const Values& values) {
  constexpr std::uint64_t kMin = 1U << 10;
  constexpr std::uint64_t kMax = 1U << 30;
  auto size = parse_size(values.front());
  if (size && (*size < kMin || *size > kMax)) {
    return unexpected_value(values.front(), "a size from 1KiB to 1GiB");
  }
  return store(std::move(size), config.forwarder.body_limit);
}

Result<void> apply_access_log(AgentConfig& config, const Values& values) {
  using Mode = forwarder::AccessLogConfig::Mode;
  static constexpr std::array<std::pair<std::string_view, Mode>, 5> kModes = {
      {{"off", Mode::kOff},
       {"sampled", Mode::kSampled},
       {"slow", Mode::kSlow},
       {"errors", Mode::kErrors},
       {"full", Mode::kFull}}};
  for (const auto& [name, mode] : kModes) {
    if (values.front() != name) continue;
    config.forwarder.access_log.mode = mode;
    return {};
  }
  return unexpected_value(values.front(), "off, sampled, slow, errors or full");
}

// With four decimals at most, as the percentages of filters.
Result<void> apply_access_log_percent(AgentConfig& config, const Values& values) {
  const std::string& text = values.front();
  double percent = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), percent);
  const bool is_number = read.ec == std::errc() && read.ptr == text.data() + text.size();
  constexpr double kPartsOfOnePercent = forwarder::AccessLogConfig::kAll / 100.0;
  const double parts = std::round(percent * kPartsOfOnePercent);
  if (!is_number || parts < 1 || parts > forwarder::AccessLogConfig::kAll) {
    return unexpected_value(text, "a percentage from 0.0001 to 100");
  }
  config.forwarder.access_log.sampled = static_cast<std::uint32_t>(parts);
  return {};
}

Result<void> apply_access_log_slow(AgentConfig& config, const Values& values) {
  return store(duration_between(values.front(), 0ms, 1h), config.forwarder.access_log.slow_time);
}

Result<void> apply_access_log_format(AgentConfig& config, const Values& values) {
  if (values.front() != "text" && values.front() != "json") {
    return unexpected_value(values.front(), "text or json");
  }
  using Format = forwarder::AccessLogConfig::Format;
  config.forwarder.access_log.format = values.front() == "json" ? Format::kJson : Format::kText;
  return {};
}

Result<void> apply_access_log_target(AgentConfig& config, const Values& values) {
  if (values.front() != "stdout" && !values.front().starts_with('/')) {
    return unexpected_value(values.front(), "stdout, or an absolute path");
  }
  config.access_log_target = values.front();
  return {};
}

using Duration = milliseconds forwarder::ForwarderConfig::*;

auto forwarder_duration(Duration member, milliseconds min, milliseconds max) {
  return [=](AgentConfig& config, const Values& values) {
    return store(duration_between(values.front(), min, max), config.forwarder.*member);
  };
}

Result<void> apply_drain_timeout(AgentConfig& config, const Values& values) {
  return store(duration_between(values.front(), 0ms, 1h), config.drain_timeout);
}

using ListDuration = milliseconds registry::ListProtection::*;

auto list_duration(ListDuration member) {
  return [=](AgentConfig& config, const Values& values) {
    return store(duration_between(values.front(), 0ms, 24h), config.lists.*member);
  };
}

Result<void> apply_vanish_percent(AgentConfig& config, const Values& values) {
  return store(parse_number(values.front(), 1, 100), config.lists.vanish_percent);
}

using Switch = bool AgentConfig::*;

auto on_or_off(Switch member) {
  return [=](AgentConfig& config, const Values& values) -> Result<void> {
    if (values.front() != "true" && values.front() != "false") {
      return unexpected_value(values.front(), "true or false");
    }
    config.*member = values.front() == "true";
    return {};
  };
}

Result<void> apply_warmup_steps(AgentConfig& config, const Values& values) {
  const auto steps = parse_number(values.front(), 0, registry::kMaxWeightSteps);
  if (!steps || *steps == 1) {
    return unexpected_value(
        values.front(), "0, or a number from 2 to " + std::to_string(registry::kMaxWeightSteps));
  }
  config.warmup_steps = static_cast<unsigned>(*steps);
  return {};
}

std::vector<Setting> make_settings() {
  using Forwarder = forwarder::ForwarderConfig;
  using Lists = registry::ListProtection;
  return {
      {"api", "ADDRESS", "HTTP API, status page, metrics: address:port or unix:/path", true,
       apply_api},
      {"outbound", "ADDRESS", "local consumers send here: local:port, or address:port", false,
       apply_outbound},
      {"inbound", "ADDRESS", "other agents and plain consumers send here", false, apply_inbound},
      {"provider", "ADDRESS", "where inbound requests go when a publication names no port", false,
       apply_provider},
      {"registry", "URL", "memory, or zookeeper://host:port[,host:port...][/chroot][?group=dubbo]",
       true, apply_registry},
      {"advertise", "ADDRESS",
       "what is written to the registry: ip, ip:port, or a network such as 10.0.0.0/8", false,
       apply_advertise},
      {"application", "NAME", "the application's name where a request gives none", false,
       apply_application},
      {"state_dir", "PATH", "what must outlive the process", false, apply_state_dir},
      {"workers", "N", "data-plane threads", false, apply_workers},
      {"log_level", "LEVEL", "debug, info, warn, error or off", false, apply_log_level},
      {"access_log", "WHICH", "calls that get a line: off, sampled, slow, errors or full", false,
       apply_access_log},
      {"access_log_percent", "N", "how many of them, where access_log is sampled", false,
       apply_access_log_percent},
      {"access_log_slow", "TIME", "how long they take at least, where access_log is slow", false,
       apply_access_log_slow},
      {"access_log_format", "FORMAT", "text or json", false, apply_access_log_format},
      {"access_log_target", "TARGET", "stdout, or the path of a file", false,
       apply_access_log_target},
      {"body_limit", "SIZE", "the largest body of a Dubbo frame", false, apply_body_limit},
      {"hold_time", "TIME", "how long a request for an unknown service waits for its providers",
       false, forwarder_duration(&Forwarder::hold_time, 0ms, 1min)},
      {"default_timeout", "TIME", "a request's timeout where neither it nor its provider names one",
       false, forwarder_duration(&Forwarder::default_timeout, 1ms, 1h)},
      {"connect_timeout", "TIME", "how long a connection to a provider may take to open", false,
       forwarder_duration(&Forwarder::connect_timeout, 1ms, 1min)},
      {"heartbeat_interval", "TIME", "silence after which a connection is asked whether it lives",
       false, forwarder_duration(&Forwarder::heartbeat_interval, 100ms, 1h)},
      {"drain_timeout", "TIME", "how long requests in flight may take to finish at the stop", false,
       apply_drain_timeout},
      {"empty_list_time", "TIME",
       "how long the last list of providers is used when the registry lists none any more", false,
       list_duration(&Lists::empty_list_time)},
      {"vanish_percent", "N",
       "when more than so many percent of a service's providers vanish at once, they are held",
       false, apply_vanish_percent},
      {"vanish_hold_time", "TIME", "how long providers that vanished and answer are held at most",
       false, list_duration(&Lists::hold_time)},
      {"registry_check_interval", "TIME",
       "how often lists are read again and own nodes looked for, whatever events say", false,
       list_duration(&Lists::check_interval)},
      {"application_discovery", "BOOL",
       "look for providers that Dubbo 3 registers by application, too: true or false", false,
       on_or_off(&AgentConfig::application_discovery)},
      {"application_registration", "BOOL",
       "register providers by application, too, as Dubbo 3 does: true or false", false,
       on_or_off(&AgentConfig::application_registration)},
      {"warmup_steps", "N",
       "new publications get their weight in so many steps; 0: the whole weight at once", false,
       apply_warmup_steps},
  };
}

}  // namespace

std::string Setting::flag() const {
  std::string name = "--" + std::string(key);
  std::replace(name.begin(), name.end(), '_', '-');
  return name;
}

std::string Setting::variable() const {
  std::string name = "SKIFF_" + std::string(key);
  std::transform(name.begin(), name.end(), name.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  return name;
}

std::span<const Setting> settings() {
  static const std::vector<Setting> all = make_settings();
  return all;
}

const Setting* find_setting(std::string_view key) {
  const auto all = settings();
  const auto found = std::find_if(all.begin(), all.end(),
                                  [key](const Setting& setting) { return setting.key == key; });
  return found == all.end() ? nullptr : &*found;
}

}  // namespace skiff::agent
