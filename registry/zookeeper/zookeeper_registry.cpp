#include "registry/zookeeper/zookeeper_registry.h"

#include <spdlog/spdlog.h>

#include <utility>

namespace skiff::registry {

ZookeeperRegistry::ZookeeperRegistry(const ZookeeperAddress& address, Executor& executor,
                                     RegistryEvents& events,
                                     std::chrono::milliseconds check_interval)
    : name_(address.name()),
      server_address_(
          dubbo::format_host_port(address.servers.front().host, address.servers.front().port)),
      events_(events),
      session_(address, executor, *this),
      nodes_(address.root_path(), session_, executor, events, check_interval),
      watches_(address.root_path(), session_, executor, events, check_interval) {}

void ZookeeperRegistry::start() {
  session_.start();
  nodes_.start_checks();
  watches_.start_checks();
}

void ZookeeperRegistry::take_up(const std::string& ticket) {
  if (const auto parsed = SessionTicket::parse(ticket)) session_.take_up(*parsed);
}

void ZookeeperRegistry::on_session_up(SessionStart start, const std::string& detail) {
  was_up_ = true;
  spdlog::info("registry {}: {}", name_, detail);
  // What a new session lost is said before there is a connection again that could confirm it.
  nodes_.on_session_up(start);
  events_.on_connection(true, detail);
  watches_.on_session_up(start);
}

void ZookeeperRegistry::on_session_down(const std::string& detail) {
  const bool was_up = std::exchange(was_up_, false);
  spdlog::log(was_up ? spdlog::level::warn : spdlog::level::info, "registry {}: {}", name_, detail);
  events_.on_connection(false, detail);
}

}  // namespace skiff::registry
