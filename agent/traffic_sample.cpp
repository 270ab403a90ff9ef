#include "agent/traffic_sample.h"

#include <charconv>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

namespace skiff::agent {
namespace {

struct MetricLine {
  std::string_view name;
  std::vector<std::pair<std::string_view, std::string>> labels;
  double value = 0;

  std::string label(std::string_view key) const {
    for (const auto& [label_key, text] : labels) {
      if (label_key == key) return text;
    }
    return {};
  }
};

std::optional<double> parse_value(std::string_view text) {
  text = text.substr(0, text.find(' '));  // a timestamp may follow
  if (text == "+Inf") return std::numeric_limits<double>::infinity();
  double value = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool is_whole = result.ec == std::errc() && result.ptr == text.data() + text.size();
  return is_whole && !std::isnan(value) ? std::optional(value) : std::nullopt;
}

// Takes `key="value"` from the front of `rest`.
std::optional<std::pair<std::string_view, std::string>> take_label(std::string_view& rest) {
  const auto equals = rest.find("=\"");
  if (equals == std::string_view::npos) return std::nullopt;
  const std::string_view key = rest.substr(0, equals);
  std::string value;
  for (std::size_t i = equals + 2; i < rest.size(); ++i) {
    if (rest[i] == '"') {
      rest.remove_prefix(i + 1);
      return std::pair(key, std::move(value));
    }
    if (rest[i] == '\\' && i + 1 < rest.size()) {
      ++i;
      value += rest[i] == 'n' ? '\n' : rest[i];
    } else {
      value += rest[i];
    }
  }
  return std::nullopt;
}

std::optional<MetricLine> parse_line(std::string_view line) {
  const auto end = line.find_first_of("{ ");
  if (end == std::string_view::npos || end == 0 || line.front() == '#') return std::nullopt;
  MetricLine metric;
  metric.name = line.substr(0, end);
  std::string_view rest = line.substr(end);
  if (rest.front() == '{') {
    rest.remove_prefix(1);
    while (!rest.starts_with('}')) {
      auto label = take_label(rest);
      if (!label) return std::nullopt;
      metric.labels.push_back(std::move(*label));
      if (rest.starts_with(',')) rest.remove_prefix(1);
    }
    rest.remove_prefix(1);
  }
  if (!rest.starts_with(' ')) return std::nullopt;
  const auto value = parse_value(rest.substr(1));
  if (!value) return std::nullopt;
  metric.value = *value;
  return metric;
}

bool is_failure(const MetricLine& line) {
  const std::string outcome = line.label("outcome");
  return outcome != "ok" && outcome != "one_way" && outcome != "abandoned";
}

void take(const MetricLine& line, TrafficSample& sample) {
  const auto service = [&]() -> ServiceTraffic& {
    return sample.services[line.label("interface")];
  };
  if (line.name == "skiff_requests_total") {
    service().requests += line.value;
    if (is_failure(line)) service().failures += line.value;
  } else if (line.name == "skiff_request_duration_seconds_bucket") {
    if (const auto bound = parse_value(line.label("le"))) service().buckets[*bound] += line.value;
  } else if (line.name == "skiff_build_info") {
    sample.version = line.label("version");
  } else if (line.labels.empty()) {
    sample.figures.insert_or_assign(std::string(line.name), line.value);
  }
}

}  // namespace

double TrafficSample::figure(std::string_view name) const {
  const auto found = figures.find(name);
  return found == figures.end() ? 0 : found->second;
}

TrafficSample read_traffic(std::string_view metrics) {
  TrafficSample sample;
  while (!metrics.empty()) {
    const auto end = metrics.find('\n');
    if (const auto line = parse_line(metrics.substr(0, end))) take(*line, sample);
    metrics.remove_prefix(end == std::string_view::npos ? metrics.size() : end + 1);
  }
  std::erase_if(sample.services, [](const auto& service) { return service.second.requests == 0; });
  return sample;
}

ServiceTraffic counted_between(const ServiceTraffic& before, const ServiceTraffic& after) {
  if (after.requests < before.requests || after.failures < before.failures) return after;
  ServiceTraffic counted{.requests = after.requests - before.requests,
                         .failures = after.failures - before.failures,
                         .buckets = {}};
  for (const auto& [bound, count] : after.buckets) {
    const auto earlier = before.buckets.find(bound);
    counted.buckets[bound] = count - (earlier == before.buckets.end() ? 0 : earlier->second);
  }
  return counted;
}

std::optional<double> quantile(const LatencyBuckets& buckets, double share) {
  const double total = buckets.empty() ? 0 : buckets.rbegin()->second;
  if (total <= 0) return std::nullopt;
  const double rank = share * total;
  double lower = 0;
  double below = 0;
  for (const auto& [bound, count] : buckets) {
    if (count >= rank && count > below) {
      if (std::isinf(bound)) return lower;
      return lower + (bound - lower) * (rank - below) / (count - below);
    }
    if (!std::isinf(bound)) lower = bound;
    below = count;
  }
  return lower;
}

}  // namespace skiff::agent
