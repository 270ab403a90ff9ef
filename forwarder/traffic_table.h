#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "forwarder/duration_histogram.h"
#include "forwarder/metric_interfaces.h"
#include "forwarder/outcome.h"
#include "forwarder/text_map.h"

namespace skiff::forwarder {

struct ServiceCells;

// The requests of one method that have ended.
struct MethodCells {
  MethodCells(ServiceCells& method_service, std::string_view method_name)
      : service(method_service), name(method_name) {}

  ServiceCells& service;
  const std::string name;
  std::array<Cell, kOutcomes.size()> ended;  // in the order of Outcome
  MethodCells* next = nullptr;               // that came before it
};

// What one worker has counted of one interface.
struct ServiceCells {
  explicit ServiceCells(std::string_view service_interface) : interface(service_interface) {}

  const std::string interface;
  DurationHistogram total;     // from reading a request to its answer
  DurationHistogram upstream;  // of that, with the provider that was asked last
  DurationHistogram own;       // of that, with the agent
  std::atomic<MethodCells*> methods = nullptr;
  std::size_t method_count = 0;  // for the worker alone
  ServiceCells* next = nullptr;  // that came before it
};

// What one worker has counted of requests, by interface and method. Only grows, within limits.h:
// what is there stays where it is, so that a pointer to it is all that a request needs, and that
// any thread may read it while the worker counts.
class TrafficTable {
 public:
  static constexpr std::string_view kOther = "(other)";      // interfaces and methods over a limit
  static constexpr std::string_view kUnknown = "(unknown)";  // the interface where none was found

  // `interfaces` must outlive it.
  explicit TrafficTable(MetricInterfaces& interfaces);

  // --- on the worker's thread
  ServiceCells& service(std::string_view interface);
  MethodCells& method(ServiceCells& service, std::string_view name);
  // Of requests whose service is not known.
  MethodCells& unknown() { return *unknown_; }
  // `upstream`: nullopt where it was never sent.
  static void note_end(MethodCells& method, Outcome outcome, std::chrono::nanoseconds total,
                       std::optional<std::chrono::nanoseconds> upstream) {
    method.ended[static_cast<std::size_t>(outcome)].add();
    method.service.total.observe(total);
    if (upstream) method.service.upstream.observe(*upstream);
    method.service.own.observe(total - upstream.value_or(std::chrono::nanoseconds(0)));
  }

  // --- from any thread
  template <typename Visit>
  void for_each(Visit visit) const {
    const ServiceCells* service = first_.load(std::memory_order_acquire);
    for (; service != nullptr; service = service->next) visit(*service);
  }
  template <typename Visit>
  static void for_each_method(const ServiceCells& service, Visit visit) {
    const MethodCells* method = service.methods.load(std::memory_order_acquire);
    for (; method != nullptr; method = method->next) visit(*method);
  }

 private:
  ServiceCells& add(std::string_view interface);

  MetricInterfaces& interfaces_;
  TextMap<std::unique_ptr<ServiceCells>> services_;
  std::vector<std::unique_ptr<MethodCells>> methods_;
  std::atomic<ServiceCells*> first_ = nullptr;
  MethodCells* unknown_;
};

}  // namespace skiff::forwarder
