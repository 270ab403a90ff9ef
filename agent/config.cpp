#include "agent/config.h"

#include <sched.h>
#include <sys/un.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "agent/durations.h"
#include "agent/text.h"
#include "dubbo/url.h"
#include "registry/ip_address.h"

namespace skiff::agent {
namespace {

constexpr std::string_view kUnixPrefix = "unix:";
constexpr std::string_view kLocalPrefix = "local:";

// With the port even where it is 0, which means any free one.
std::string host_and_port(const std::string& host, std::uint16_t port) {
  const bool is_v6 = host.find(':') != std::string::npos;
  return (is_v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

tl::unexpected<Error> unexpected_value(const std::string& text, const std::string& expected) {
  return fail(ErrorCode::kInvalidArgument, "came " + in_quotes(text) + ", expected " + expected);
}

// "" where `text` is no numeric address with a port in it.
dubbo::HostPort numeric_host_port(const std::string& text) {
  const auto address = dubbo::parse_host_port(text);
  const bool has_port = text.rfind(':') != std::string::npos && text.back() != ']';
  if (!address || !has_port || !registry::IpAddress::parse(address->host)) return {};
  return *address;
}

Result<ApiAddress> parse_unix_address(const std::string& text) {
  ApiAddress address;
  address.path = text.substr(kUnixPrefix.size());
  if (!address.path.starts_with('/')) return unexpected_value(text, "unix:/absolute/path");
  constexpr std::size_t kMaxPath = sizeof(sockaddr_un::sun_path) - 1;
  if (address.path.size() > kMaxPath) {
    return unexpected_value(text, "a path of at most " + std::to_string(kMaxPath) + " bytes");
  }
  return address;
}

void mask_between(std::string& text, std::size_t begin, std::size_t end) {
  text.replace(begin, end - begin, "***");
}

}  // namespace

std::string ApiAddress::to_string() const {
  return is_unix() ? std::string(kUnixPrefix) + path : host_and_port(host, port);
}

Result<ApiAddress> parse_api_address(const std::string& text) {
  if (text.starts_with(kUnixPrefix)) return parse_unix_address(text);
  const dubbo::HostPort read = numeric_host_port(text);
  if (read.host.empty()) {
    return unexpected_value(text, "a numeric address with a port (127.0.0.1:20883) or unix:/path");
  }
  return ApiAddress{.host = read.host, .port = read.port, .path = {}};
}

Result<forwarder::ListenAddress> parse_listen_address(const std::string& text, bool local_allowed) {
  if (local_allowed && text.starts_with(kLocalPrefix)) {
    const auto port = parse_number(std::string_view(text).substr(kLocalPrefix.size()), 0, 65535);
    if (!port) return unexpected_value(text, "local:<port>, the port from 0 to 65535");
    return forwarder::ListenAddress{
        .host = "", .port = static_cast<std::uint16_t>(*port), .local_only = true};
  }
  const dubbo::HostPort read = numeric_host_port(text);
  if (read.host.empty()) {
    return unexpected_value(text, std::string("a numeric address with a port (0.0.0.0:20882)") +
                                      (local_allowed ? " or local:<port>" : ""));
  }
  return forwarder::ListenAddress{.host = read.host, .port = read.port, .local_only = false};
}

std::string format_listen_address(const forwarder::ListenAddress& address) {
  if (address.local_only) return std::string(kLocalPrefix) + std::to_string(address.port);
  return host_and_port(address.host, address.port);
}

AgentConfig::AgentConfig() { forwarder.workers = available_cpus(); }

unsigned available_cpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof(set), &set) != 0) return 1;
  return static_cast<unsigned>(std::max(CPU_COUNT(&set), 1));
}

std::string mask_password(const std::string& address) {
  std::string masked = address;
  // Both spellings: a password may hold any of : / @, so what is masked is rather too much.
  if (const auto query = masked.find("password="); query != std::string::npos) {
    const auto begin = query + std::string_view("password=").size();
    mask_between(masked, begin, std::min(masked.find('&', begin), masked.size()));
  }
  const auto scheme = masked.find("://");
  const auto at = masked.substr(0, masked.find('?')).rfind('@');
  if (scheme == std::string::npos || at == std::string::npos) return masked;
  const auto colon = masked.find(':', scheme + 3);
  if (colon != std::string::npos && colon < at) mask_between(masked, colon + 1, at);
  return masked;
}

namespace {

std::string_view name_of(forwarder::AccessLogConfig::Mode mode) {
  using Mode = forwarder::AccessLogConfig::Mode;
  switch (mode) {
    case Mode::kOff:
      return "off";
    case Mode::kSampled:
      return "sampled";
    case Mode::kSlow:
      return "slow";
    case Mode::kErrors:
      return "errors";
    case Mode::kFull:
      return "full";
  }
  return "";
}

}  // namespace

nlohmann::ordered_json to_json(const AgentConfig& config) {
  nlohmann::ordered_json json;
  json["api"] = nlohmann::ordered_json::array();
  for (const ApiAddress& address : config.api) json["api"].push_back(address.to_string());
  const forwarder::ForwarderConfig& forwarder = config.forwarder;
  json["outbound"] = format_listen_address(forwarder.outbound);
  json["inbound"] = format_listen_address(forwarder.inbound);
  json["provider"] = host_and_port(forwarder.provider_host, forwarder.provider_port);
  json["registry"] = nlohmann::ordered_json::array();
  for (const std::string& address : config.registries) {
    json["registry"].push_back(mask_password(address));
  }
  if (config.registries.empty()) json["registry"].push_back("memory");
  json["advertise"] = config.advertise;
  json["application"] = config.application;
  json["state_dir"] = config.state_dir;
  json["workers"] = forwarder.workers;
  json["log_level"] = config.log_level;
  json["log_format"] = config.log_format == LogFormat::kJson ? "json" : "text";
  const forwarder::AccessLogConfig& access_log = forwarder.access_log;
  json["access_log"] = name_of(access_log.mode);
  json["access_log_percent"] = access_log.sampled / (forwarder::AccessLogConfig::kAll / 100.0);
  json["access_log_slow"] = format_duration(access_log.slow_time);
  json["access_log_format"] =
      access_log.format == forwarder::AccessLogConfig::Format::kJson ? "json" : "text";
  json["access_log_target"] = config.access_log_target;
  json["body_limit"] = forwarder.body_limit;
  json["hold_time"] = format_duration(forwarder.hold_time);
  json["default_timeout"] = format_duration(forwarder.default_timeout);
  json["connect_timeout"] = format_duration(forwarder.connect_timeout);
  json["heartbeat_interval"] = format_duration(forwarder.heartbeat_interval);
  json["drain_timeout"] = format_duration(config.drain_timeout);
  json["empty_list_time"] = format_duration(config.lists.empty_list_time);
  json["vanish_percent"] = config.lists.vanish_percent;
  json["vanish_hold_time"] = format_duration(config.lists.hold_time);
  json["registry_check_interval"] = format_duration(config.lists.check_interval);
  json["application_discovery"] = config.application_discovery;
  json["warmup_steps"] = config.warmup_steps;
  json["application_registration"] = config.application_registration;
  return json;
}

}  // namespace skiff::agent
