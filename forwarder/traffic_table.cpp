#include "forwarder/traffic_table.h"

#include <utility>

#include "forwarder/limits.h"

namespace skiff::forwarder {

TrafficTable::TrafficTable(MetricInterfaces& interfaces)
    : interfaces_(interfaces), unknown_(&method(add(kUnknown), kOther)) {}

ServiceCells& TrafficTable::service(std::string_view interface) {
  if (const auto found = services_.find(interface); found != services_.end()) {
    return *found->second;
  }
  if (interfaces_.admit(interface)) return add(interface);
  const auto other = services_.find(kOther);
  return other == services_.end() ? add(kOther) : *other->second;
}

ServiceCells& TrafficTable::add(std::string_view interface) {
  auto added = std::make_unique<ServiceCells>(interface);
  ServiceCells& service = *added;
  services_.emplace(std::string(interface), std::move(added));
  service.next = first_.load(std::memory_order_relaxed);
  first_.store(&service, std::memory_order_release);
  return service;
}

MethodCells& TrafficTable::method(ServiceCells& service, std::string_view name) {
  const bool has_room = service.method_count < limits::kMethodsPerServiceMax &&
                        methods_.size() < limits::kMetricMethodsMax;
  if (name.size() > limits::kMethodNameMaxBytes || service.interface == kOther) name = kOther;
  const auto find = [&]() -> MethodCells* {
    MethodCells* method = service.methods.load(std::memory_order_relaxed);
    while (method != nullptr && method->name != name) method = method->next;
    return method;
  };
  if (MethodCells* known = find(); known != nullptr) return *known;
  if (!has_room && name != kOther) {
    name = kOther;
    if (MethodCells* known = find(); known != nullptr) return *known;
  }
  MethodCells& method = *methods_.emplace_back(std::make_unique<MethodCells>(service, name));
  ++service.method_count;
  method.next = service.methods.load(std::memory_order_relaxed);
  service.methods.store(&method, std::memory_order_release);
  return method;
}

}  // namespace skiff::forwarder
