#include "forwarder/metrics.h"

namespace skiff::forwarder {

#define SKIFF_INFO(id, name, help) MetricInfo{name, help},

std::span<const MetricInfo> counter_infos() {
  static constexpr std::array kInfos{SKIFF_FORWARDER_COUNTERS(SKIFF_INFO)};
  return kInfos;
}

std::span<const MetricInfo> gauge_infos() {
  static constexpr std::array kInfos{SKIFF_FORWARDER_GAUGES(SKIFF_INFO)};
  return kInfos;
}

#undef SKIFF_INFO

}  // namespace skiff::forwarder
