#pragma once

#include <string>
#include <vector>

#include "agent/config.h"
#include "agent/handover.h"
#include "agent/stream_marks.h"
#include "forwarder/handover.h"
#include "forwarder/socket.h"

namespace skiff::agent {

// What systemd gave this process at its start (sd_listen_fds(3)): sockets of skiff.socket, and what
// a process before this one had stored (descriptor_store.h). For one thread.
class InheritedDescriptors {
 public:
  // Consumers' connections in the middle of a frame, and what is nothing of ours, are closed. Takes
  // the variables out of the environment.
  static InheritedDescriptors from_environment();

  // Those that listen where the configuration says; others are closed, also what systemd has of
  // them.
  HandedListeners take_listeners(const AgentConfig& config);
  // Each at the beginning of a frame, either way. What their marks say holds no longer, which is
  // what it says from then on.
  std::vector<forwarder::CarriedConsumer> take_consumers();

 private:
  struct Listener {
    std::string name;
    forwarder::Fd fd;
  };
  void add_listener(const std::string& name, forwarder::Fd fd);
  std::vector<forwarder::Fd> take_port(const std::string& name,
                                       const forwarder::ListenAddress& wanted);
  void close_listeners();

  std::vector<Listener> listeners_;
  std::vector<StreamMarks> marks_;
  std::vector<forwarder::Fd> consumers_;
};

}  // namespace skiff::agent
