#include "agent/top_screen.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/text.h"

namespace skiff::agent {
namespace {

constexpr const char* kNothing = "-";
constexpr std::size_t kHeaderLines = 4;

struct Row {
  std::string service;
  double requests_per_second = 0;
  double failures_per_second = 0;
  LatencyBuckets buckets;
  double requests = 0;  // since the agent's start
};

std::string formatted(const char* format, double value) {
  std::array<char, 64> text{};
  const int size = std::snprintf(text.data(), text.size(), format, value);
  return {text.data(), static_cast<std::size_t>(size)};
}

// "0", "<0.1", "9.5", "120"
std::string rate_text(double value) {
  constexpr double kWhole = 9.95;
  constexpr double kLeast = 0.05;
  if (value <= 0) return "0";
  if (value < kLeast) return "<0.1";
  return formatted(value < kWhole ? "%.1f" : "%.0f", value);
}

// "850us", "1.2ms", "12ms", "3.4s"
std::string time_text(std::optional<double> seconds) {
  if (!seconds) return kNothing;
  constexpr double kMilli = 1e-3;
  constexpr double kMicro = 1e-6;
  constexpr double kNearlyOne = 0.9995;
  constexpr double kWhole = 9.95;
  if (*seconds >= kNearlyOne) return formatted(*seconds < kWhole ? "%.1fs" : "%.0fs", *seconds);
  const double milliseconds = *seconds / kMilli;
  if (milliseconds < kNearlyOne) return formatted("%.0fus", *seconds / kMicro);
  return formatted(milliseconds < kWhole ? "%.1fms" : "%.0fms", milliseconds);
}

std::vector<Row> rows_of(const TrafficSample& before, const TrafficSample& after, double seconds) {
  static const ServiceTraffic nothing;
  std::vector<Row> rows;
  for (const auto& [service, traffic] : after.services) {
    const auto earlier = before.services.find(service);
    ServiceTraffic counted =
        counted_between(earlier == before.services.end() ? nothing : earlier->second, traffic);
    rows.push_back({.service = printable(service),
                    .requests_per_second = counted.requests / seconds,
                    .failures_per_second = counted.failures / seconds,
                    .buckets = std::move(counted.buckets),
                    .requests = traffic.requests});
  }
  std::ranges::stable_sort(rows, [](const Row& a, const Row& b) {
    return std::pair(a.requests_per_second, a.requests) >
           std::pair(b.requests_per_second, b.requests);
  });
  return rows;
}

std::string headline(const TrafficSample& after, const std::vector<Row>& rows) {
  double requests = 0;
  double failures = 0;
  for (const Row& row : rows) {
    requests += row.requests_per_second;
    failures += row.failures_per_second;
  }
  const bool is_ready = after.figure("skiff_ready") > 0;
  return "skiff " + printable(after.version) + (is_ready ? ", ready" : ", NOT READY") + "; " +
         std::to_string(rows.size()) + (rows.size() == 1 ? " service, " : " services, ") +
         rate_text(requests) + " requests/s, " + rate_text(failures) + " failed/s, " +
         formatted("%.0f", after.figure("skiff_outbound_in_flight")) + " in flight";
}

std::string connections_line(const TrafficSample& before, const TrafficSample& after,
                             double seconds) {
  const auto rate_of = [&](const char* name) {
    return rate_text((after.figure(name) - before.figure(name)) / seconds);
  };
  const auto figure = [&](const char* name) { return formatted("%.0f", after.figure(name)); };
  return "consumers: " + figure("skiff_outbound_connections") +
         " connections; to providers: " + figure("skiff_upstream_connections") +
         "; inbound: " + rate_of("skiff_inbound_requests_total") + " requests/s, " +
         rate_of("skiff_inbound_errors_total") + " failed/s, " + figure("skiff_inbound_in_flight") +
         " in flight";
}

void append_cell(std::string& line, const std::string& text, std::size_t width) {
  if (text.size() < width) line.append(width - text.size(), ' ');
  line += text + "  ";
}

std::string table_line(const std::array<std::string, 5>& numbers, const std::string& service) {
  constexpr std::array<std::size_t, 5> kWidths = {8, 8, 7, 7, 12};
  std::string line;
  for (std::size_t i = 0; i < numbers.size(); ++i) append_cell(line, numbers[i], kWidths[i]);
  return line + service;
}

std::string table_line(const Row& row) {
  constexpr double kMedian = 0.5;
  constexpr double kTail = 0.99;
  return table_line({rate_text(row.requests_per_second), rate_text(row.failures_per_second),
                     time_text(quantile(row.buckets, kMedian)),
                     time_text(quantile(row.buckets, kTail)), formatted("%.0f", row.requests)},
                    row.service);
}

}  // namespace

std::string top_screen(const TrafficSample& before, const TrafficSample& after, double seconds,
                       const std::optional<ScreenSize>& size) {
  const std::vector<Row> rows = rows_of(before, after, seconds);
  std::vector<std::string> lines = {
      headline(after, rows), connections_line(before, after, seconds), "",
      table_line({"REQ/S", "FAIL/S", "P50", "P99", "REQUESTS"}, "SERVICE")};
  const std::size_t room = size ? size->rows - std::min(size->rows, kHeaderLines)
                                : std::max<std::size_t>(rows.size(), 1);
  const bool is_cut = rows.size() > room;
  const std::size_t shown = is_cut ? room - std::min<std::size_t>(room, 1) : rows.size();
  for (std::size_t i = 0; i < shown; ++i) lines.push_back(table_line(rows[i]));
  if (rows.empty()) lines.emplace_back("  no request yet");
  if (is_cut) lines.push_back("  and " + std::to_string(rows.size() - shown) + " more");
  if (size && lines.size() > size->rows) lines.resize(size->rows);
  std::string text;
  for (const std::string& line : lines) {
    text += size ? std::string(cut_utf8(line, size->columns)) : line;
    text += '\n';
  }
  return text;
}

}  // namespace skiff::agent
