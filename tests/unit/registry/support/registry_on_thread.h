#pragma once

#include <array>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "registry/control_thread.h"
#include "registry/registry.h"

namespace skiff::registry {

// What a registry said, readable from the test's thread.
struct RegistryRecord {
  bool connected = false;
  int connections = 0;  // how often it connected
  std::string detail;
  std::set<std::string> registered;
  std::vector<std::string> unregistered;
  std::vector<std::string> failures;  // messages
  std::map<std::string, std::vector<std::string>> providers;
  std::map<std::string, int> reports;
  std::map<RuleSubject, ReportedRules> rules;
  std::map<RuleSubject, int> rule_reports;
  std::map<RuleSubject, std::vector<std::string>> rule_failures;  // messages
  int deaf_watches = 0;
  int lost_nodes = 0;
  int lost_sessions = 0;
  std::array<int, kApplicationFaults> application_faults{};
};

// A registry on a control thread of its own.
class RegistryOnThread final : private RegistryEvents {
 public:
  // Throws std::runtime_error where `address` is wrong.
  explicit RegistryOnThread(const std::string& address, const RegistryOptions& options = {});
  ~RegistryOnThread() override;

  RegistryOnThread(const RegistryOnThread&) = delete;
  RegistryOnThread& operator=(const RegistryOnThread&) = delete;

  void register_url(const dubbo::Url& url);
  void register_successor(const dubbo::Url& url);
  void unregister_url(const dubbo::Url& url);
  void watch(const std::string& interface);
  void unwatch(const std::string& interface);
  void watch_rules(const RuleSubject& subject);
  void unwatch_rules(const RuleSubject& subject);

  // True as soon as `condition` holds, false where it does not within 30 s.
  bool wait_until(const std::function<bool(const RegistryRecord&)>& condition);
  RegistryRecord record();
  bool wait_connected();
  bool wait_registered(const dubbo::Url& url);
  bool wait_unregistered(const dubbo::Url& url);
  bool wait_providers(const std::string& interface, std::size_t count);
  bool wait_rules(const RuleSubject& subject, const dubbo::RuleTexts& texts);

 private:
  void on_connection(bool connected, const std::string& detail) override;
  void on_registered(const dubbo::Url& url) override;
  void on_register_failed(const dubbo::Url& url, const Error& error) override;
  void on_unregistered(const dubbo::Url& url) override;
  void on_providers(const std::string& interface,
                    const std::vector<dubbo::Url>& providers) override;
  void on_rules(const RuleSubject& subject, const ReportedRules& reported) override;
  void on_rules_failed(const RuleSubject& subject, const Error& error) override;
  void on_deaf_watch_found(const std::string& interface) override;
  void on_lost_node_found(const dubbo::Url& url) override;
  void on_session_lost() override;
  void on_application_fault(ApplicationFault fault) override;
  void change(const std::function<void(RegistryRecord&)>& change);

  std::mutex mutex_;
  std::condition_variable changed_;
  RegistryRecord record_;
  ControlThread thread_{"registry-test"};
  std::unique_ptr<Registry> registry_;
};

}  // namespace skiff::registry
