#include "agent/metric_list.h"

#include <array>
#include <span>
#include <utility>

#include "forwarder/metrics.h"
#include "forwarder/outcome.h"

namespace skiff::agent {
namespace {

using enum MetricKind;

#define SKIFF_METRIC_SPEC(id, name, kind, labels, help) MetricSpec{name, kind, labels, help},

const std::vector<MetricSpec>& agent_specs() {
  static const std::vector<MetricSpec> specs{SKIFF_AGENT_METRICS(SKIFF_METRIC_SPEC)};
  return specs;
}

const std::vector<MetricSpec>& call_specs() {
  static const std::vector<MetricSpec> specs{SKIFF_CALL_METRICS(SKIFF_METRIC_SPEC)};
  return specs;
}

#undef SKIFF_METRIC_SPEC

std::vector<MetricSpec> data_plane_specs() {
  std::vector<MetricSpec> specs;
  const auto add = [&specs](std::span<const forwarder::MetricInfo> infos, MetricKind kind) {
    for (const forwarder::MetricInfo& info : infos) {
      specs.push_back({std::string("skiff_").append(info.name), kind, "", info.help});
    }
  };
  add(forwarder::counter_infos(), kCounter);
  add(forwarder::gauge_infos(), kGauge);
  return specs;
}

std::string_view name_of(MetricKind kind) {
  switch (kind) {
    case kCounter:
      return "counter";
    case kGauge:
      return "gauge";
    case kHistogram:
      return "histogram";
  }
  return "";
}

std::string table_of(const std::vector<MetricSpec>& specs) {
  std::string table = "| metric | type | labels | meaning |\n|---|---|---|---|\n";
  for (const MetricSpec& spec : specs) {
    table.append("| `").append(spec.name).append("` | ").append(name_of(spec.kind)).append(" | ");
    if (!spec.labels.empty()) table.append(spec.labels).append(" ");
    table.append("| ").append(spec.help).append(" |\n");
  }
  return table;
}

std::string outcome_table() {
  std::string table = "| outcome | meaning |\n|---|---|\n";
  for (const forwarder::OutcomeInfo& outcome : forwarder::kOutcomes) {
    table.append("| `").append(outcome.name).append("` | ").append(outcome.help).append(" |\n");
  }
  return table;
}

}  // namespace

const MetricSpec& spec_of(Metric metric) {
  const auto index = static_cast<std::size_t>(metric);
  const std::vector<MetricSpec>& agent = agent_specs();
  return index < agent.size() ? agent[index] : call_specs()[index - agent.size()];
}

std::vector<MetricSpec> all_metrics() {
  std::vector<MetricSpec> all = agent_specs();
  for (const auto& specs : {call_specs(), data_plane_specs()}) {
    all.insert(all.end(), specs.begin(), specs.end());
  }
  return all;
}

std::string with_metric_tables(std::string manual) {
  const std::array<std::pair<std::string_view, std::string>, 4> tables = {
      {{"agent", table_of(agent_specs())},
       {"calls", table_of(call_specs())},
       {"outcomes", outcome_table()},
       {"data-plane", table_of(data_plane_specs())}}};
  for (const auto& [name, table] : tables) {
    const std::string begin = std::string("<!-- table: ").append(name).append(" -->\n");
    std::size_t from = manual.find(begin);
    if (from == std::string::npos) continue;
    from += begin.size();
    const std::size_t to = manual.find("<!-- end -->", from);
    if (to == std::string::npos) continue;
    manual.replace(from, to - from, "\n" + table + "\n");
  }
  return manual;
}

}  // namespace skiff::agent
