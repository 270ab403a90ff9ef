#pragma once

#include <string>
#include <utility>

#include "dubbo/result.h"
#include "forwarder/socket.h"

namespace skiff::agent {

inline constexpr const char* kDefaultStateDir = "/var/lib/skiff";

// Creates `path`, one level deep, where it is missing. Fails with kUnavailable and a sentence that
// says what is wrong. That it cannot be written is no failure: after trouble with a disk it may be
// so, and what is in it is needed all the more.
Result<void> prepare_state_dir(const std::string& path);

// The folder to use: `wanted`, or, where it is "", kDefaultStateDir if that can be written and no
// other agent uses it, else "".
Result<std::string> choose_state_dir(const std::string& wanted);

// A state folder belongs to one agent at a time: with its files go the sessions in the registries.
// It is free again when the process ends, whichever way.
class StateDirLock {
 public:
  // Fails with kUnavailable where another agent has it, or it cannot be opened.
  static Result<StateDirLock> take(const std::string& path);
  // One that a predecessor has, and shares from now on.
  explicit StateDirLock(forwarder::Fd folder) : folder_(std::move(folder)) {}

  forwarder::Fd share() const { return folder_.duplicate(); }

 private:
  forwarder::Fd folder_;  // locked
};

}  // namespace skiff::agent
