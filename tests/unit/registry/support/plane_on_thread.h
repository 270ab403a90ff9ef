#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "registry/control_plane.h"
#include "registry/control_thread.h"
#include "support/recording_sink.h"

namespace skiff::registry {

// A control plane on a thread of its own.
class PlaneOnThread {
 public:
  static constexpr std::chrono::milliseconds kWait{20'000};

  explicit PlaneOnThread(std::vector<std::string> registries, std::string advertise = "") {
    call([&] {
      ControlPlaneConfig config;
      config.registries = std::move(registries);
      config.advertise = std::move(advertise);
      auto created = ControlPlane::create(std::move(config), thread_, sink_);
      ASSERT_TRUE(created) << created.error().message;
      plane_ = std::move(*created);
      plane_->start();
    });
  }
  ~PlaneOnThread() {
    call([this] { plane_.reset(); });
    thread_.stop();
  }
  PlaneOnThread(const PlaneOnThread&) = delete;
  PlaneOnThread& operator=(const PlaneOnThread&) = delete;

  template <typename Function>
  auto call(Function function) -> decltype(function()) {
    std::packaged_task<decltype(function())()> task(std::move(function));
    thread_.post([&task] { task(); });
    return task.get_future().get();
  }

  Result<VerbOutcome> publish(const std::string& interface,
                              const std::optional<RegistryName>& registry = std::nullopt,
                              std::chrono::milliseconds wait = kWait) {
    return verb([&](VerbCallback done) {
      PublicationRequest request;
      request.check.type = HealthCheck::Type::kNone;  // nobody listens there
      request.service.interface = interface;
      request.registry = registry;
      plane_->publish(request, wait, std::move(done));
    });
  }
  Result<VerbOutcome> subscribe(const std::string& interface,
                                const std::optional<RegistryName>& registry = std::nullopt,
                                std::chrono::milliseconds wait = kWait) {
    return verb([&](VerbCallback done) {
      SubscriptionRequest request;
      request.service.interface = interface;
      request.registry = registry;
      plane_->subscribe(request, wait, std::move(done));
    });
  }
  Result<VerbOutcome> unpublish(const std::string& interface,
                                std::chrono::milliseconds wait = kWait) {
    return verb([&](VerbCallback done) {
      plane_->unpublish({interface, "", ""}, 0, wait, std::move(done));
    });
  }
  Result<VerbOutcome> unsubscribe(const std::string& interface) {
    return verb([&](VerbCallback done) {
      plane_->unsubscribe({interface, "", ""}, kWait, std::move(done));
    });
  }

  // Waits until `condition`, evaluated on the control thread, holds.
  template <typename Condition>
  bool wait_until(Condition condition) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!call([&] { return condition(*plane_, sink_); })) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      std::this_thread::yield();
    }
    return true;
  }

  ControlPlane& plane() { return *plane_; }
  // On the control thread only.
  RecordingSink& sink() { return sink_; }

 private:
  template <typename Verb>
  Result<VerbOutcome> verb(Verb verb) {
    std::promise<Result<VerbOutcome>> answer;
    thread_.post([&] {
      verb([&answer](Result<VerbOutcome> outcome) { answer.set_value(std::move(outcome)); });
    });
    return answer.get_future().get();
  }

  ControlThread thread_{"plane-test"};
  RecordingSink sink_;
  std::unique_ptr<ControlPlane> plane_;
};

}  // namespace skiff::registry
