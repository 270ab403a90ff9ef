#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "agent/config.h"

// The commands that are clients of a running agent. They print to stdout what came of it, errors
// to stderr, and return the exit code: 0, or 1 where the agent refused or was not reached.
namespace skiff::agent {

struct VerbArguments {
  std::string verb;  // "publish", "unpublish", "subscribe", "unsubscribe"
  std::string interface;
  std::string group;
  std::string version;
  std::string port;  // as it was given; the agent checks it
  std::string application;
  std::string wait;
  std::vector<std::string> methods;
  std::vector<std::string> parameters;  // "k=v"
  bool json = false;                    // print the agent's answer as it came
};

int run_verb_command(const ApiAddress& api, const VerbArguments& arguments);
int run_status_command(const ApiAddress& api, bool json);

}  // namespace skiff::agent
