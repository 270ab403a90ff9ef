#pragma once

#include <string>
#include <vector>

#include "forwarder/handover.h"
#include "forwarder/socket.h"

// What an agent gives to its successor before the connections (forwarder/handover.h), in the order
// in which it does (handover_channel.h).
namespace skiff::agent {

struct HandedListeners {
  struct Api {
    std::string address;  // as ApiAddress::to_string() has it
    forwarder::Fd fd;
  };
  forwarder::CarriedListeners ports;
  std::vector<Api> api;
};

struct HandedState {
  std::string folder;
  forwarder::Fd lock;  // of the folder, held by both processes
  bool lists_frozen = false;
  std::size_t descriptors = 0;         // that it takes, of either process
  std::vector<std::string> connected;  // the registries that the agent was connected with
};

}  // namespace skiff::agent
