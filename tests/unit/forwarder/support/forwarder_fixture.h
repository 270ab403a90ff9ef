#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "forwarder/forwarder.h"
#include "governance/service_route.h"
#include "support/raw_peer.h"

namespace skiff::forwarder::testing {

// A forwarder with one worker on free loopback ports, and the routes that a test gives it.
class ForwarderFixture : public ::testing::Test, public ForwarderObserver {
 protected:
  ForwarderFixture() {
    config_.outbound = {.host = "127.0.0.1", .port = 0, .local_only = false};
    config_.inbound = {.host = "127.0.0.1", .port = 0, .local_only = false};
    config_.provider_port = provider_.port();
  }

  void start() {
    open();
    forwarder_->serve();
  }
  void open() {
    auto forwarder = Forwarder::open(config_, *this);
    ASSERT_TRUE(forwarder) << forwarder.error().message;
    forwarder_ = std::move(*forwarder);
  }

  static governance::ProviderEndpoint provider_at(std::uint16_t port) {
    governance::ProviderEndpoint provider;
    provider.host = "127.0.0.1";
    provider.port = port;
    return provider;
  }
  void route(const std::vector<governance::ProviderEndpoint>& providers,
             const std::string& group = "", const std::string& version = "") {
    route_clusters({{group, version, providers}});
  }
  void route_clusters(const std::vector<governance::Cluster>& clusters) {
    forwarder_->update_route(std::make_shared<const governance::ServiceRoute>(
        governance::ServiceRoute{"a.Service", clusters}));
    forwarder_->snapshot(kDeadline);  // tasks of a worker run in order: it has the route now
  }

  std::uint64_t counter(const std::string& name) {
    return forwarder_->snapshot(kDeadline).counters.at(name);
  }

  std::uint64_t gauge(const std::string& name) {
    return forwarder_->snapshot(kDeadline).gauges.at(name);
  }

  void need_service(const std::string& interface) override {
    const std::lock_guard lock(mutex_);
    needed_.insert(interface);
  }
  bool was_asked_for(const std::string& interface) {
    const std::lock_guard lock(mutex_);
    return needed_.contains(interface);
  }

  RawListener provider_;
  ForwarderConfig config_;
  std::unique_ptr<Forwarder> forwarder_;

 private:
  std::mutex mutex_;
  std::set<std::string> needed_;
};

}  // namespace skiff::forwarder::testing
