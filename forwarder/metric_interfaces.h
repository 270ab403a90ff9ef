#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "forwarder/limits.h"

namespace skiff::forwarder {

// The interfaces that have metrics of their own: the first limits::kMetricInterfacesMax that were
// called. Shared by all workers, so that it is the bound of all of them together; thread-safe and
// without locks. Asked when a worker counts a request of an interface for the first time.
class MetricInterfaces {
 public:
  MetricInterfaces() = default;
  ~MetricInterfaces() {
    for (const auto& slot : slots_) delete slot.load();
  }
  MetricInterfaces(const MetricInterfaces&) = delete;
  MetricInterfaces& operator=(const MetricInterfaces&) = delete;

  // Whether `name` is one of them, or becomes one.
  bool admit(std::string_view name) {
    // Never full: there are more slots than names.
    for (std::size_t i = std::hash<std::string_view>{}(name);; ++i) {
      std::atomic<const std::string*>& slot = slots_[i % slots_.size()];
      const std::string* known = slot.load(std::memory_order_acquire);
      if (known == nullptr) {
        if (size_.fetch_add(1) >= limits::kMetricInterfacesMax) {
          size_.fetch_sub(1);
          return false;
        }
        auto added = std::make_unique<const std::string>(name);
        if (slot.compare_exchange_strong(known, added.get())) {
          static_cast<void>(added.release());  // the slot owns it
          return true;
        }
        size_.fetch_sub(1);  // another worker was faster, and `known` is what it put there
      }
      if (*known == name) return true;
    }
  }

  std::size_t size() const { return size_.load(std::memory_order_relaxed); }

 private:
  std::array<std::atomic<const std::string*>, limits::kMetricInterfacesMax * 2> slots_{};
  std::atomic<std::size_t> size_{0};
};

}  // namespace skiff::forwarder
