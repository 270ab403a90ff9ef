#include "support/registry_on_thread.h"

#include <algorithm>
#include <future>
#include <stdexcept>

namespace skiff::registry {
namespace {

constexpr std::chrono::seconds kLimit{30};

}  // namespace

RegistryOnThread::RegistryOnThread(const std::string& address, const RegistryOptions& options) {
  auto opened = open_registry(address, thread_, *this, options);
  if (!opened) throw std::runtime_error(opened.error().message);
  registry_ = std::move(*opened);
  thread_.post([this] { registry_->start(); });
}

RegistryOnThread::~RegistryOnThread() {
  std::promise<void> gone;
  thread_.post([&] {
    registry_.reset();
    gone.set_value();
  });
  gone.get_future().wait();
  thread_.stop();
}

void RegistryOnThread::register_url(const dubbo::Url& url) {
  thread_.post([this, url] { registry_->register_url(url); });
}

void RegistryOnThread::register_successor(const dubbo::Url& url) {
  thread_.post([this, url] { registry_->register_successor(url); });
}

void RegistryOnThread::unregister_url(const dubbo::Url& url) {
  thread_.post([this, url] { registry_->unregister_url(url); });
}

void RegistryOnThread::watch(const std::string& interface) {
  thread_.post([this, interface] { registry_->watch(interface); });
}

void RegistryOnThread::unwatch(const std::string& interface) {
  thread_.post([this, interface] { registry_->unwatch(interface); });
}

void RegistryOnThread::watch_rules(const RuleSubject& subject) {
  thread_.post([this, subject] { registry_->watch_rules(subject); });
}

void RegistryOnThread::unwatch_rules(const RuleSubject& subject) {
  thread_.post([this, subject] { registry_->unwatch_rules(subject); });
}

bool RegistryOnThread::wait_until(const std::function<bool(const RegistryRecord&)>& condition) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, kLimit, [&] { return condition(record_); });
}

RegistryRecord RegistryOnThread::record() {
  const std::lock_guard lock(mutex_);
  return record_;
}

bool RegistryOnThread::wait_connected() {
  return wait_until([](const RegistryRecord& record) { return record.connected; });
}

bool RegistryOnThread::wait_registered(const dubbo::Url& url) {
  return wait_until([text = url.to_string()](const RegistryRecord& record) {
    return record.registered.contains(text);
  });
}

bool RegistryOnThread::wait_unregistered(const dubbo::Url& url) {
  return wait_until([text = url.to_string()](const RegistryRecord& record) {
    return std::find(record.unregistered.begin(), record.unregistered.end(), text) !=
           record.unregistered.end();
  });
}

bool RegistryOnThread::wait_providers(const std::string& interface, std::size_t count) {
  return wait_until([&](const RegistryRecord& record) {
    const auto found = record.providers.find(interface);
    return found != record.providers.end() && found->second.size() == count;
  });
}

bool RegistryOnThread::wait_rules(const RuleSubject& subject, const dubbo::RuleTexts& texts) {
  return wait_until([&](const RegistryRecord& record) {
    const auto found = record.rules.find(subject);
    return found != record.rules.end() && found->second.texts == texts;
  });
}

void RegistryOnThread::change(const std::function<void(RegistryRecord&)>& change) {
  {
    const std::lock_guard lock(mutex_);
    change(record_);
  }
  changed_.notify_all();
}

void RegistryOnThread::on_connection(bool connected, const std::string& detail) {
  change([&](RegistryRecord& record) {
    record.connected = connected;
    record.detail = detail;
    if (connected) ++record.connections;
  });
}

void RegistryOnThread::on_registered(const dubbo::Url& url) {
  change([&](RegistryRecord& record) { record.registered.insert(url.to_string()); });
}

void RegistryOnThread::on_register_failed(const dubbo::Url& url, const Error& error) {
  change([&](RegistryRecord& record) {
    record.registered.erase(url.to_string());
    record.failures.push_back(error.message);
  });
}

void RegistryOnThread::on_unregistered(const dubbo::Url& url) {
  change([&](RegistryRecord& record) {
    record.registered.erase(url.to_string());
    record.unregistered.push_back(url.to_string());
  });
}

void RegistryOnThread::on_rules(const RuleSubject& subject, const ReportedRules& reported) {
  change([&](RegistryRecord& record) {
    record.rules[subject] = reported;
    ++record.rule_reports[subject];
  });
}

void RegistryOnThread::on_rules_failed(const RuleSubject& subject, const Error& error) {
  change([&](RegistryRecord& record) { record.rule_failures[subject].push_back(error.message); });
}

void RegistryOnThread::on_deaf_watch_found(const std::string& /*interface*/) {
  change([](RegistryRecord& record) { ++record.deaf_watches; });
}

void RegistryOnThread::on_application_fault(ApplicationFault fault) {
  change([fault](RegistryRecord& record) {
    ++record.application_faults[static_cast<std::size_t>(fault)];
  });
}

void RegistryOnThread::on_lost_node_found(const dubbo::Url& /*url*/) {
  change([](RegistryRecord& record) { ++record.lost_nodes; });
}

void RegistryOnThread::on_session_lost() {
  change([](RegistryRecord& record) { ++record.lost_sessions; });
}

void RegistryOnThread::on_providers(const std::string& interface,
                                    const std::vector<dubbo::Url>& providers) {
  change([&](RegistryRecord& record) {
    ++record.reports[interface];
    std::vector<std::string>& texts = record.providers[interface];
    texts.clear();
    for (const dubbo::Url& url : providers) texts.push_back(url.to_string());
  });
}

}  // namespace skiff::registry
