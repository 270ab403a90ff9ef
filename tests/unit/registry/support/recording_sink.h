#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "registry/control_plane.h"

namespace skiff::registry {

// Remembers what the data plane would know.
class RecordingSink final : public ControlPlaneSink {
 public:
  void on_service(const std::string& interface, std::vector<dubbo::Url> providers,
                  const dubbo::RuleTexts& with_rules,
                  const dubbo::ConsumerIdentity& consumer) override {
    rules[interface] = with_rules;
    consumers[interface] = consumer;
    ++reports[interface];
    sizes[interface].push_back(providers.size());
    services[interface] = std::move(providers);
  }
  void on_service_told(const std::string& interface,
                       std::chrono::steady_clock::time_point told_at) override {
    told[interface].push_back(told_at);
  }
  void on_service_gone(const std::string& interface) override {
    services.erase(interface);
    gone.push_back(interface);
  }
  void on_local_services(const std::vector<LocalService>& now) override { local_services = now; }
  dubbo::Url governed(const dubbo::Url& provider, const dubbo::RuleTexts& by_rules) override {
    return govern ? govern(provider, by_rules) : provider;
  }

  std::function<dubbo::Url(const dubbo::Url&, const dubbo::RuleTexts&)> govern;

  std::map<std::string, std::vector<dubbo::Url>> services;
  std::map<std::string, dubbo::RuleTexts> rules;
  std::map<std::string, dubbo::ConsumerIdentity> consumers;
  std::map<std::string, int> reports;
  std::map<std::string, std::vector<std::size_t>> sizes;  // of each report
  std::map<std::string, std::vector<std::chrono::steady_clock::time_point>> told;
  std::vector<std::string> gone;
  std::vector<LocalService> local_services;
};

}  // namespace skiff::registry
