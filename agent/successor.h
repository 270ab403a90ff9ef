#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/handover.h"
#include "agent/handover_channel.h"
#include "agent/handover_state.h"
#include "dubbo/result.h"

namespace skiff::agent {

// How this process was started, which is how its successor is.
struct Program {
  std::string path;  // of the binary; what stands there today may be a newer one
  std::vector<std::string> arguments;

  static Program of_this_process();
};

// The process that goes on with all that this one does, seen from this one. Each step waits for it,
// and fails with a sentence for the operator; it is killed with this object unless it was let go.
// For one thread at a time.
class Successor {
 public:
  // Steps of the successor's own, and those in which traffic waits.
  static constexpr std::chrono::seconds kStartTime{10};
  static constexpr std::chrono::seconds kPrepareTime{20};
  static constexpr std::chrono::milliseconds kTakeTime{1000};

  // Starts it. `go_on`: as HandoverChannel::while_waiting() has it.
  static Result<std::unique_ptr<Successor>> start(const Program& program,
                                                  std::function<bool()> go_on);
  ~Successor();
  Successor(const Successor&) = delete;
  Successor& operator=(const Successor&) = delete;

  pid_t pid() const { return pid_; }
  const std::string& version() const { return version_; }

  // Until its configuration is read, and found to fit.
  Result<void> offer(const HandedListeners& listeners);
  // Until it has taken up the sessions of the registries and knows what was known here.
  Result<void> prepare(const HandedState& state);
  // Until it goes on with the connections. Where this fails it was ended, and has touched none of
  // these. From any thread, while no other one calls.
  Result<void> give(forwarder::CarriedConnections connections);
  // Where this succeeds it is the agent from here on: there is no way back.
  Result<void> let_go();
  // Gives it connections to the API. Says for how long nobody read from a connection, at most;
  // empty where it did not say in time that it serves.
  std::optional<std::chrono::microseconds> serves(const std::vector<forwarder::Fd>& api_clients);
  // That whoever supervises this process has been told of its successor.
  void farewell();
  // Ends it at once, and with it the connections that it goes on with; not to be called where it
  // was let go.
  void end();
  // How many connections it has taken; where it was ended, they have with it.
  std::size_t connections_taken() const { return connections_taken_; }

 private:
  Successor(pid_t pid, HandoverChannel channel) : pid_(pid), channel_(std::move(channel)) {}

  Result<void> greet();
  // The end of a step: what it answers to what was sent to it.
  Result<void> answered(Result<void> sent, const std::string& answer,
                        std::chrono::milliseconds limit);
  // Adds how the process ended, where it has.
  Error explained(Error error);
  static Error explained(Error error, const std::optional<int>& status);
  Result<void> send_connections(const HandoverState& state);
  std::optional<int> kill_process();
  // How it ended; empty where it has not in time.
  std::optional<int> wait_for_end();

  pid_t pid_;  // 0 once it has ended
  bool is_let_go_ = false;
  // What it goes on with, until it is let go: others may have the same connections, so that these
  // end only where they are shut down.
  std::vector<forwarder::Fd> taken_;
  std::size_t connections_taken_ = 0;
  HandoverChannel channel_;
  std::string version_;
};

}  // namespace skiff::agent
