#include "registry/zookeeper/zookeeper_registry.h"

#include <spdlog/spdlog.h>

#include <utility>

namespace skiff::registry {
namespace {

ApplicationPaths application_paths(const ZookeeperAddress& address) {
  return {.root = address.root_path(), .instances = address.instances_path()};
}

}  // namespace

ZookeeperRegistry::ZookeeperRegistry(const ZookeeperAddress& address, Executor& executor,
                                     RegistryEvents& events, const RegistryOptions& options)
    : name_(address.name()),
      server_address_(
          dubbo::format_host_port(address.servers.front().host, address.servers.front().port)),
      events_(events),
      session_(address, executor, *this),
      queue_(executor),
      nodes_(address.root_path(), session_, executor, queue_, events, options.check_interval),
      registration_(options.application_registration, application_paths(address), session_,
                    executor, queue_, events, options.check_interval),
      applications_(
          options.application_discovery
              ? std::make_unique<ApplicationLevel>(
                    application_paths(address), session_, executor, events, options.check_interval,
                    [this](const std::string& interface) { watches_.report_again(interface); })
              : nullptr),
      watches_(address.root_path(), session_, executor,
               applications_ ? static_cast<RegistryEvents&>(*applications_) : events,
               options.check_interval),
      rules_(address.root_path(), session_, executor, events, options.check_interval) {}

void ZookeeperRegistry::start() {
  session_.start();
  nodes_.start_checks();
  registration_.start_checks();
  watches_.start_checks();
  if (applications_) applications_->start_checks();
  rules_.start_checks();
}

void ZookeeperRegistry::register_url(const dubbo::Url& url) {
  nodes_.want(url);
  registration_.want(url);
}

void ZookeeperRegistry::register_successor(const dubbo::Url& url) {
  nodes_.want_successor(url);
  registration_.want(url);
}

void ZookeeperRegistry::keep_url(const dubbo::Url& url) {
  nodes_.keep(url);
  registration_.keep(url);
}

// The instance goes first: who hears that the provider's node is gone, and remembers it no more,
// leaves no instance behind.
void ZookeeperRegistry::unregister_url(const dubbo::Url& url) {
  registration_.drop(url);
  nodes_.drop(url);
}

// The application level is asked first, so that its answer is mostly there when the list comes.
void ZookeeperRegistry::watch(const std::string& interface) {
  if (applications_) applications_->watch(interface);
  watches_.watch(interface);
}

void ZookeeperRegistry::unwatch(const std::string& interface) {
  if (applications_) applications_->unwatch(interface);
  watches_.unwatch(interface);
}

void ZookeeperRegistry::take_up(const std::string& ticket) {
  const auto parsed = SessionTicket::parse(ticket);
  if (!parsed) return;
  session_.take_up(*parsed);
  registration_.on_session_inherited();
}

void ZookeeperRegistry::on_session_up(SessionStart start, const std::string& detail) {
  was_up_ = true;
  spdlog::info("registry {}: {}", name_, detail);
  // What a new session lost is said before there is a connection again that could confirm it.
  nodes_.on_session_up(start);
  registration_.on_session_up(start);
  events_.on_connection(true, detail);
  if (applications_) applications_->on_session_up(start);
  watches_.on_session_up(start);
  rules_.on_session_up(start);
}

void ZookeeperRegistry::on_node_changed(const std::string& path,
                                        std::chrono::steady_clock::time_point at) {
  watches_.on_node_changed(path, at);
  if (applications_) applications_->on_node_changed(path, at);
  rules_.on_node_changed(path, at);
}

void ZookeeperRegistry::on_session_down(const std::string& detail) {
  const bool was_up = std::exchange(was_up_, false);
  spdlog::log(was_up ? spdlog::level::warn : spdlog::level::info, "registry {}: {}", name_, detail);
  events_.on_connection(false, detail);
}

}  // namespace skiff::registry
