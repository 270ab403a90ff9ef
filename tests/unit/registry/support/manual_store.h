#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "registry/state_store.h"

namespace skiff::registry {

// Stores when the test says so.
class ManualStore final : public StateStore {
 public:
  void on_state_changed() override { ++changes; }
  void when_stored(std::function<void()> done) override {
    if (holds) {
      waiting.push_back(std::move(done));
    } else {
      done();
    }
  }
  void on_list(const std::string& /*registry*/, const std::string& interface,
               const ListedProviders& providers) override {
    lists[interface] = providers.size();
  }
  void on_rules_changed() override { ++rule_changes; }
  void release() {
    holds = false;
    for (const auto& done : std::exchange(waiting, {})) done();
  }

  bool holds = false;
  int changes = 0;
  int rule_changes = 0;
  std::vector<std::function<void()>> waiting;
  std::map<std::string, std::size_t> lists;
};

}  // namespace skiff::registry
