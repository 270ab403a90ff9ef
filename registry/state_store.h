#pragma once

#include <functional>
#include <string>

#include "registry/listed_provider.h"

namespace skiff::registry {

// Where a control plane's state goes so that a later process finds it. Lives on the control thread;
// returns at once.
class StateStore {
 public:
  virtual ~StateStore() = default;

  // ControlPlane::state() has changed; the store reads it later.
  virtual void on_state_changed() = 0;
  // Calls `done` on the control thread once all changes reported so far are stored, or cannot be:
  // trouble with a disk delays, but never prevents. It may come from inside this call.
  virtual void when_stored(std::function<void()> done) = 0;
  // What is in use of what a registry has listed for an interface; empty where nobody needs to know
  // it any more.
  virtual void on_list(const std::string& registry, const std::string& interface,
                       const ListedProviders& providers) = 0;
  // ControlPlane::rules() has changed; the store reads it later.
  virtual void on_rules_changed() = 0;
};

// For an agent that remembers nothing.
class NoStateStore final : public StateStore {
 public:
  void on_state_changed() override {}
  void when_stored(std::function<void()> done) override { done(); }
  void on_list(const std::string& /*registry*/, const std::string& /*interface*/,
               const ListedProviders& /*providers*/) override {}
  void on_rules_changed() override {}
};

}  // namespace skiff::registry
