#pragma once

#include <chrono>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "dubbo/result.h"
#include "forwarder/forwarder.h"
#include "registry/control_plane.h"

namespace skiff::agent {

// Where the HTTP API listens: a numeric address with a port (0: any free one), or a Unix socket.
struct ApiAddress {
  std::string host;
  std::uint16_t port = 0;
  std::string path;  // of a Unix socket; empty for TCP

  bool is_unix() const { return !path.empty(); }
  // "127.0.0.1:20883", "unix:/run/skiff/api.sock"
  std::string to_string() const;
  bool operator==(const ApiAddress&) const = default;
};

// Reads "127.0.0.1:20883", "[::1]:20883" or "unix:/path". Fails with kInvalidArgument.
Result<ApiAddress> parse_api_address(const std::string& text);

// Reads "0.0.0.0:20882", "[::]:20882", and, where `local_allowed`, "local:20881".
Result<forwarder::ListenAddress> parse_listen_address(const std::string& text, bool local_allowed);
std::string format_listen_address(const forwarder::ListenAddress& address);

// Of the agent's own log.
enum class LogFormat : std::uint8_t { kText, kJson };

// The configuration in force; its defaults are those of an agent that was told nothing. Every
// member is a row in settings.cpp, which holds names, ranges and meanings.
struct AgentConfig {
  std::vector<ApiAddress> api{{.host = "127.0.0.1", .port = 20883, .path = {}}};
  forwarder::ForwarderConfig forwarder;
  std::vector<std::string> registries;  // empty: the embedded one, and requests may open others
  std::string advertise;                // "": by the route to the registry
  std::string application = "skiff";
  std::string state_dir;  // "": the default one, if it is writable
  std::string log_level = "info";
  LogFormat log_format = LogFormat::kText;
  std::string access_log_target = "stdout";  // or a path
  std::chrono::milliseconds drain_timeout{10'000};
  registry::ListProtection lists{};
  bool application_discovery = true;
  unsigned warmup_steps = 0;
  bool application_registration = false;

  AgentConfig();
};

// CPUs that this process may run on.
unsigned available_cpus();

// For people: keys as in the file, registry passwords masked.
nlohmann::ordered_json to_json(const AgentConfig& config);

// `address` with what stands for a user's password replaced by ***.
std::string mask_password(const std::string& address);

}  // namespace skiff::agent
