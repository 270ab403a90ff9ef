#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "agent/handover.h"
#include "agent/handover_channel.h"
#include "dubbo/result.h"

namespace skiff::agent {

// The agent that this process goes on for, seen from this process: the other side of Successor,
// step by step. A step that fails ends the matter: give_up(), and the process ends, leaving no
// trace. For one thread at a time.
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
  Result<forwarder::CarriedConnections> ask_for_connections();
  // Returns when all is this process's.
  Result<void> take();
  // Connections to the API without a request under way, as far as they come.
  std::vector<forwarder::Fd> api_clients();
  // Says that all is well; returns when whoever supervises the agent knows of this process.
  void finish();

 private:
  explicit Predecessor(HandoverChannel channel) : channel_(std::move(channel)) {}

  // What it says when it has heard that.
  Result<HandoverChannel::Message> exchange(const nlohmann::json& said, const std::string& next);

  HandoverChannel channel_;
};

}  // namespace skiff::agent
