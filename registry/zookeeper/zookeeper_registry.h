#pragma once

#include <memory>
#include <string>

#include "registry/executor.h"
#include "registry/registry.h"
#include "registry/zookeeper/application_level.h"
#include "registry/zookeeper/application_registration.h"
#include "registry/zookeeper/owned_nodes.h"
#include "registry/zookeeper/provider_watches.h"
#include "registry/zookeeper/rule_watches.h"
#include "registry/zookeeper/session.h"
#include "registry/zookeeper/write_queue.h"
#include "registry/zookeeper/zookeeper_address.h"

namespace skiff::registry {

// Dubbo's registry in ZooKeeper: one session, in it the nodes that we own, the lists that we watch,
// at interface level and, where they are switched on, at application level, and the rules. Lives on
// the control thread. Its destructor closes the session, which may take up to 5 s where the server
// is slow to answer.
class ZookeeperRegistry final : public Registry, private SessionEvents {
 public:
  // `executor` and `events` must outlive it.
  ZookeeperRegistry(const ZookeeperAddress& address, Executor& executor, RegistryEvents& events,
                    const RegistryOptions& options);

  void start() override;
  void register_url(const dubbo::Url& url) override;
  void unregister_url(const dubbo::Url& url) override;
  void keep_url(const dubbo::Url& url) override;
  void register_successor(const dubbo::Url& url) override;
  void watch(const std::string& interface) override;
  void unwatch(const std::string& interface) override;
  void watch_rules(const RuleSubject& subject) override { rules_.watch(subject); }
  void unwatch_rules(const RuleSubject& subject) override { rules_.unwatch(subject); }
  std::string name() const override { return name_; }
  bool connected() const override { return session_.is_connected(); }
  std::size_t waiting_writes() const override { return queue_.size(); }
  std::string server_address() const override { return server_address_; }
  std::string session_ticket() const override { return session_.ticket().to_string(); }
  void take_up(const std::string& ticket) override;
  void leave(const std::function<void()>& done) override {
    was_up_ = false;  // it goes down in order
    session_.leave(done);
  }
  void return_to_it() override { session_.return_to_it(); }

 private:
  void on_session_up(SessionStart start, const std::string& detail) override;
  void on_session_down(const std::string& detail) override;
  void on_node_changed(const std::string& path, std::chrono::steady_clock::time_point at) override;

  const std::string name_;
  const std::string server_address_;
  RegistryEvents& events_;
  bool was_up_ = false;  // the session, when it last was reported
  Session session_;
  WriteQueue queue_;
  OwnedNodes nodes_;
  ApplicationRegistration registration_;
  const std::unique_ptr<ApplicationLevel> applications_;  // null: switched off
  ProviderWatches watches_;
  RuleWatches rules_;
};

}  // namespace skiff::registry
