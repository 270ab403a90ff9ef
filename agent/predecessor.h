#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "agent/handover.h"
#include "agent/handover_channel.h"
#include "dubbo/result.h"

namespace skiff::agent {

// The agent that this process goes on for, seen from this process: the other side of Successor,
// step by step. A step that fails ends the matter: give_up(), and the process ends; with it what it
// had taken, and nothing else. For one thread at a time.
class Predecessor {
 public:
  // The environment variable that says which descriptor leads to it.
  static constexpr const char* kVariable = "SKIFF_HANDOVER";

  // Empty where this process was started to go on for nobody. Takes the variable out of the
  // environment, and makes those that name a process name this one.
  static std::optional<Predecessor> from_environment();

  // Tells it that this process cannot go on for it, and why.
  void give_up(const std::string& reason);

  Result<HandedListeners> greet();
  Result<HandedState> ask_for_state();
  // Takes the connections, some at a time: `adopt` is called as soon as these are this process's.
  // Returns when all is.
  Result<void> take_connections(const std::function<void(forwarder::CarriedConnections)>& adopt);
  // Connections to the API without a request under way, as far as they come.
  std::vector<forwarder::Fd> api_clients();
  // Says that all is well, and for how long nobody read from a connection, at most; returns when
  // whoever supervises the agent knows of this process.
  void finish(std::chrono::microseconds pause);

 private:
  explicit Predecessor(HandoverChannel channel) : channel_(std::move(channel)) {}

  // What it says when it has heard that.
  Result<HandoverChannel::Message> exchange(const nlohmann::json& said, const std::string& next);
  Result<forwarder::CarriedConnections> connections_of(HandoverChannel::Message message);

  HandoverChannel channel_;
};

}  // namespace skiff::agent
