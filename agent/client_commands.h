#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "agent/config.h"

// The commands that are clients of a running agent. They print to stdout what came of it, errors
// to stderr, and return the exit code: 0, or 1 where the agent refused or was not reached.
namespace skiff::agent {

// Texts are handed on as they were given, and left out where empty: the agent checks them.
struct VerbArguments {
  std::string verb;       // a path of the API: "publish", "stopping", ...
  std::string interface;  // empty: the verb is about all publications
  std::string group;
  std::string version;
  std::string port;
  std::string application;
  std::string wait;
  std::vector<std::string> methods;
  std::vector<std::string> parameters;  // "k=v"
  struct Check {
    std::string type;
    std::string interval;
    std::string timeout;
    std::string failures;
    std::string successes;
  } check;
  std::string lease;
  bool json = false;  // print the agent's answer as it came
};

int run_verb_command(const ApiAddress& api, const VerbArguments& arguments);
// Texts are handed on as they were given.
struct ExplainArguments {
  std::string interface;
  std::string group;
  std::string version;
  std::string method;
  std::vector<std::string> attachments;  // "k=v"
  std::vector<std::string> arguments;
  bool json = false;
};
int run_explain_command(const ApiAddress& api, const ExplainArguments& arguments);
// Prints the rules of registries that are not in force as they are written, or that name providers
// nobody knows; 1 where there are any.
int run_rules_check_command(const ApiAddress& api);
// Returns when a new process goes on for the agent, or does not.
int run_upgrade_command(const ApiAddress& api);
// A whole machine out of service, and back.
struct DrainArguments {
  std::string path;  // of the API: "/drain", "/undrain"
  std::string wait;  // handed on as it was given
  bool json = false;
};
// 1 also where it is accepted, but not complete within --wait.
int run_drain_command(const ApiAddress& api, const DrainArguments& arguments);
int run_status_command(const ApiAddress& api, bool json);

}  // namespace skiff::agent
