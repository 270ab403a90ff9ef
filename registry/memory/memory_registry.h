#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "registry/alive.h"
#include "registry/executor.h"
#include "registry/registry.h"

namespace skiff::registry {

// The embedded registry, named "memory": what is registered here is what watchers here see, and
// nobody else does. Always connected. Nothing is reported before on_connection() has been: what an
// earlier process had registered is registered again by then, and never was away for watchers.
// Lives on the control thread.
class MemoryRegistry final : public Registry {
 public:
  // `executor` and `events` must outlive it.
  MemoryRegistry(Executor& executor, RegistryEvents& events)
      : executor_(executor), events_(events) {}

  void start() override;
  void register_url(const dubbo::Url& url) override;
  void unregister_url(const dubbo::Url& url) override;
  void watch(const std::string& interface) override;
  void unwatch(const std::string& interface) override;
  // Nobody writes rules here.
  void watch_rules(const RuleSubject& subject) override {
    post([this, subject] { events_.on_rules(subject, {}); });
  }
  void unwatch_rules(const RuleSubject& /*subject*/) override {}
  std::string name() const override { return "memory"; }
  bool may_err() const override { return false; }
  bool connected() const override { return true; }
  std::string server_address() const override { return {}; }

 private:
  void post(std::function<void()> task) { executor_.post(alive_.guard(std::move(task))); }
  void post_providers(const std::string& interface);
  // The list as it is when the task runs, so a watcher never sees an older one after a newer one.
  void report_providers(const std::string& interface);

  Executor& executor_;
  RegistryEvents& events_;
  Alive alive_;
  bool has_reported_connection_ = false;
  // interface -> provider URLs by their text
  std::map<std::string, std::map<std::string, dubbo::Url>> providers_;
  std::set<std::string> watched_;
};

}  // namespace skiff::registry
