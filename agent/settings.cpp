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

Result<void> apply_log_level(AgentConfig& config, const Values& values) {
  static constexpr std::array<std::string_view, 5> kLevels = {"debug", "info", "warn", "error",
                                                              "off"};
  if (std::find(kLevels.begin(), kLevels.end(), values.front()) == kLevels.end()) {
    return unexpected_value(values.front(), "debug, info, warn, error or off");
  }
  config.log_level = values.front();
  return {};
}

Result<bool> is_json(const Values& values) {
  if (values.front() == "text" || values.front() == "json") return values.front() == "json";
  return unexpected_value(values.front(), "text or json");
}

Result<void> apply_log_format(AgentConfig& config, const Values& values) {
  return is_json(values).map(
      [&](bool json) { config.log_format = json ? LogFormat::kJson : LogFormat::kText; });
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

Result<void> apply_access_log_format(AgentConfig& config, const Values& values) {
  using Format = forwarder::AccessLogConfig::Format;
  return is_json(values).map([&](bool json) {
    config.forwarder.access_log.format = json ? Format::kJson : Format::kText;
  });
}

Result<void> apply_access_log_target(AgentConfig& config, const Values& values) {
  if (values.front() != "stdout" && !values.front().starts_with('/')) {
    return unexpected_value(values.front(), "stdout, or an absolute path");
  }
  config.access_log_target = values.front();
  return {};
}

// What may be given for a key: what stands for it on the command line, the range, and the check.
struct Value {
  std::string_view placeholder;
  decltype(Setting::apply) apply;
  std::string allowed = {};
  bool is_list = false;
};

std::string shown(milliseconds duration) {
  return duration == 0ms ? "0" : format_duration(duration);
}

// `member` of the part of the configuration that `part` gives.
template <typename Part, typename Number>
Value number(Number Part::*member, Part& (*part)(AgentConfig&), std::uint64_t min,
             std::uint64_t max) {
  return {.placeholder = "N",
          .apply =
              [=](AgentConfig& config, const Values& values) {
                return store(parse_number(values.front(), min, max), part(config).*member);
              },
          .allowed = std::to_string(min) + " to " + std::to_string(max)};
}

template <typename Part>
Value duration(milliseconds Part::*member, Part& (*part)(AgentConfig&), milliseconds min,
               milliseconds max) {
  return {.placeholder = "TIME",
          .apply =
              [=](AgentConfig& config, const Values& values) {
                return store(duration_between(values.front(), min, max), part(config).*member);
              },
          .allowed = shown(min) + " to " + shown(max)};
}

Value body_limit() {
  return {.placeholder = "SIZE",
          .apply = [](AgentConfig& config, const Values& values) -> Result<void> {
            constexpr std::uint64_t kMin = 1U << 10;
            constexpr std::uint64_t kMax = 1U << 30;
            auto size = parse_size(values.front());
            if (size && (*size < kMin || *size > kMax)) {
              return unexpected_value(values.front(), "a size from 1KiB to 1GiB");
            }
            return store(std::move(size), config.forwarder.body_limit);
          },
          .allowed = "1KiB to 1GiB"};
}

Value warmup_steps() {
  const std::string most = std::to_string(registry::kMaxWeightSteps);
  return {.placeholder = "N",
          .apply = [most](AgentConfig& config, const Values& values) -> Result<void> {
            const auto steps = parse_number(values.front(), 0, registry::kMaxWeightSteps);
            if (!steps || *steps == 1) {
              return unexpected_value(values.front(), "0, or a number from 2 to " + most);
            }
            config.warmup_steps = static_cast<unsigned>(*steps);
            return {};
          },
          .allowed = "0, or 2 to " + most};
}

Value on_or_off(bool AgentConfig::*member) {
  return {.placeholder = "BOOL",
          .apply = [=](AgentConfig& config, const Values& values) -> Result<void> {
            if (values.front() != "true" && values.front() != "false") {
              return unexpected_value(values.front(), "true or false");
            }
            config.*member = values.front() == "true";
            return {};
          },
          .allowed = "true or false"};
}

AgentConfig& agent(AgentConfig& config) { return config; }
forwarder::ForwarderConfig& forwarder(AgentConfig& config) { return config.forwarder; }
forwarder::AccessLogConfig& access_log(AgentConfig& config) { return config.forwarder.access_log; }
registry::ListProtection& lists(AgentConfig& config) { return config.lists; }

// A row of the table below.
struct Row {
  std::string_view key;
  std::string_view help;
  std::string_view default_value = {};
  std::string_view default_note = {};
  std::string_view details = {};
  Value value;
};

std::vector<Row> rows() {
  using Forwarder = forwarder::ForwarderConfig;
  using Lists = registry::ListProtection;
  return {
      {.key = "api",
       .help = "HTTP API, status page, metrics: `address:port` or `unix:/path`",
       .default_value = "127.0.0.1:20883",
       .details = "The socket has mode 0660; a stale file is replaced, and removed at the stop",
       .value = {.placeholder = "ADDRESS", .apply = apply_api, .is_list = true}},
      {.key = "outbound",
       .help = "local consumers send here: `local:port`, or `address:port`",
       .default_value = "local:20881",
       .details = "`local:port` listens on every address and serves only peers on this machine; "
                  "`address:port` listens there, for whoever reaches it",
       .value = {.placeholder = "ADDRESS", .apply = apply_outbound}},
      {.key = "inbound",
       .help = "other agents and plain consumers send here",
       .default_value = "0.0.0.0:20882",
       .value = {.placeholder = "ADDRESS", .apply = apply_inbound}},
      {.key = "provider",
       .help = "where inbound requests go when a publication names no port",
       .default_value = "127.0.0.1:20880",
       .details = "Calls for what is not published go there, too; where only one port is "
                  "published, all calls go to that",
       .value = {.placeholder = "ADDRESS", .apply = apply_provider}},
      {.key = "registry",
       .help = "`memory`, or `zookeeper://host:port[,host:port...][/chroot][?group=dubbo]`",
       .default_value = "memory",
       .details = "`user:password@` may stand before the hosts. `group` renames Dubbo's root node "
                  "and, as in Dubbo 3, the one of applications (`/services` without it), which "
                  "`rootPath=` names apart",
       .value = {.placeholder = "URL", .apply = apply_registry, .is_list = true}},
      {.key = "advertise",
       .help = "what is written to the registry: `ip`, `ip:port`, or a network such as 10.0.0.0/8",
       .default_note = "by the route to the registry; 127.0.0.1 for the embedded one",
       .value = {.placeholder = "ADDRESS", .apply = apply_advertise}},
      {.key = "application",
       .help = "the application's name in registry URLs where a request gives none",
       .default_value = "skiff",
       .value = {.placeholder = "NAME", .apply = apply_application}},
      {.key = "state_dir",
       .help = "a folder for what must outlive the process",
       .default_note = "`/var/lib/skiff` if writable",
       .details = "See below",
       .value = {.placeholder = "PATH", .apply = apply_state_dir}},
      {.key = "workers",
       .help = "data-plane threads",
       .default_note = "one for each CPU that the process may use",
       .value = number(&Forwarder::workers, forwarder, 1, 256)},
      {.key = "log_level",
       .help = "`debug`, `info`, `warn`, `error` or `off`",
       .default_value = "info",
       .details = "The log goes to stderr",
       .value = {.placeholder = "LEVEL", .apply = apply_log_level}},
      {.key = "log_format",
       .help = "`text`, or `json`: one object a line",
       .default_value = "text",
       .details = "See [operations.md](operations.md#the-log)",
       .value = {.placeholder = "FORMAT", .apply = apply_log_format}},
      {.key = "access_log",
       .help = "which calls get a line in the access log: `off`, `sampled`, `slow`, `errors` or "
               "`full`",
       .default_value = "off",
       .details = "`errors`: all but those that were answered, and did not throw. See "
                  "[operations.md](operations.md#the-access-log)",
       .value = {.placeholder = "WHICH", .apply = apply_access_log}},
      {.key = "access_log_percent",
       .help = "how many of them, where `access_log` is `sampled`",
       .default_value = "1",
       .value = {.placeholder = "N",
                 .apply = apply_access_log_percent,
                 .allowed = "0.0001 to 100"}},
      {.key = "access_log_slow",
       .help = "how long they take at least, where `access_log` is `slow`",
       .default_value = "1s",
       .value = duration(&forwarder::AccessLogConfig::slow_time, access_log, 0ms, 1h)},
      {.key = "access_log_format",
       .help = "`text`, or `json`: one object a line",
       .default_value = "text",
       .value = {.placeholder = "FORMAT", .apply = apply_access_log_format}},
      {.key = "access_log_target",
       .help = "`stdout`, which is the journal under systemd, or the path of a file",
       .default_value = "stdout",
       .value = {.placeholder = "TARGET", .apply = apply_access_log_target}},
      {.key = "body_limit",
       .help = "the largest body of a Dubbo frame",
       .default_value = "8MiB",
       .value = body_limit()},
      {.key = "hold_time",
       .help = "how long a request for an unknown service waits for its providers",
       .default_value = "1s",
       .details = "Unknown: nobody subscribed to it, or called it, before",
       .value = duration(&Forwarder::hold_time, forwarder, 0ms, 1min)},
      {.key = "default_timeout",
       .help = "a request's timeout where neither it nor its provider names one",
       .default_value = "3s",
       .value = duration(&Forwarder::default_timeout, forwarder, 1ms, 1h)},
      {.key = "connect_timeout",
       .help = "how long a connection to a provider may take to open",
       .default_value = "1s",
       .value = duration(&Forwarder::connect_timeout, forwarder, 1ms, 1min)},
      {.key = "heartbeat_interval",
       .help = "silence after which a connection is asked whether it lives",
       .default_value = "1m",
       .value = duration(&Forwarder::heartbeat_interval, forwarder, 100ms, 1h)},
      {.key = "drain_timeout",
       .help = "how long requests in flight may take to finish at the stop",
       .default_value = "10s",
       .value = duration(&AgentConfig::drain_timeout, agent, 0ms, 1h)},
      {.key = "empty_list_time",
       .help = "how long the last list of providers is used when the registry lists none any more",
       .default_value = "10m",
       .details = "`0`: not at all",
       .value = duration(&Lists::empty_list_time, lists, 0ms, 24h)},
      {.key = "vanish_percent",
       .help = "when more than so many percent of a service's providers vanish at once, they are "
               "held",
       .default_value = "50",
       .details = "Held ones are probed. `100`: never",
       .value = number(&Lists::vanish_percent, lists, 1, 100)},
      {.key = "vanish_hold_time",
       .help = "how long providers that vanished and answer are held at most",
       .default_value = "10m",
       .details = "`0`: not at all",
       .value = duration(&Lists::hold_time, lists, 0ms, 24h)},
      {.key = "registry_check_interval",
       .help = "how often lists are read again and own nodes looked for, whatever events say",
       .default_value = "5m",
       .details = "Once in so long for every list, every rule, and every node. `0`: never",
       .value = duration(&Lists::check_interval, lists, 0ms, 24h)},
      {.key = "application_discovery",
       .help = "look for providers that Dubbo 3 registers by application, too",
       .default_value = "true",
       .details = "See [operations.md](operations.md#dubbo-3-providers-registered-by-application). "
                  "`false`: only by interface",
       .value = on_or_off(&AgentConfig::application_discovery)},
      {.key = "application_registration",
       .help = "register providers by application, too, as Dubbo 3 does",
       .default_value = "false",
       .details = "See [operations.md](operations.md#dubbo-3-providers-registered-by-application). "
                  "They are always registered by interface",
       .value = on_or_off(&AgentConfig::application_registration)},
      {.key = "warmup_steps",
       .help = "new publications get their weight in so many steps",
       .default_value = "0",
       .details = "`0`: the whole weight at once. For consumers that let no provider warm up "
                  "([operations.md](operations.md#warm-up))",
       .value = warmup_steps()},
  };
}

std::vector<Setting> make_settings() {
  std::vector<Setting> all;
  for (Row& row : rows()) {
    all.push_back({.key = row.key,
                   .placeholder = row.value.placeholder,
                   .help = row.help,
                   .default_value = row.default_value,
                   .default_note = row.default_note,
                   .details = row.details,
                   .allowed = std::move(row.value.allowed),
                   .is_list = row.value.is_list,
                   .apply = std::move(row.value.apply)});
  }
  return all;
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

std::string Setting::plain_help() const {
  std::string text(help);
  std::erase(text, '`');
  return text;
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
