#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

// What `skiff top` reads from GET /metrics of an agent, perhaps of another version: what is missing
// there, or cannot be read, is left out.
namespace skiff::agent {

// Counted since the agent's start: upper bound in seconds -> requests that took at most that long.
using LatencyBuckets = std::map<double, double>;

struct ServiceTraffic {
  double requests = 0;
  double failures = 0;
  LatencyBuckets buckets;  // empty where the agent does not measure it
};

struct TrafficSample {
  std::map<std::string, ServiceTraffic, std::less<>> services;  // that were called
  std::map<std::string, double, std::less<>> figures;           // metrics without labels, by name
  std::string version;                                          // of the agent

  double figure(std::string_view name) const;  // 0 where it is missing
};

TrafficSample read_traffic(std::string_view metrics);

// What was counted from `before` to `after`; all of `after` where a counter went back, since then
// another process counts.
ServiceTraffic counted_between(const ServiceTraffic& before, const ServiceTraffic& after);

// The time in seconds that `share` (0 to 1) of the requests took at most, as Prometheus'
// histogram_quantile() estimates it; the last finite bound where it is beyond that; empty where
// there was no request.
std::optional<double> quantile(const LatencyBuckets& buckets, double share);

}  // namespace skiff::agent
