#include "governance/static_routes/route_entry_parser.h"

#include <algorithm>
#include <set>
#include <utility>

#include "dubbo/durations.h"
#include "governance/service_route.h"
#include "governance/static_routes/limits.h"
#include "governance/static_routes/route_fields.h"

namespace skiff::governance {
namespace {

RouteMatch read_match(const YamlFields& entry) {
  const auto fields = entry.map("match");
  if (!fields) return {};
  fields->refuse_others_than({"method", "attachments"});
  return read_route_match(*fields);
}

std::vector<WeightedCluster> read_weighted_clusters(const YamlFields& entry) {
  std::vector<WeightedCluster> clusters;
  std::set<std::string> names;
  std::int64_t sum = 0;
  bool all_read = true;
  for (const YamlFields& item : maps_up_to(kMaxWeightedClusters, entry, "weighted_clusters")) {
    constexpr std::int64_t kWrong = -1;
    item.refuse_others_than({"name", "weight"});
    WeightedCluster cluster{.name = need_route_name(item, "name")};
    if (!cluster.name.empty() && !names.insert(cluster.name).second) {
      item.add_error("name", "cluster " + cluster.name + " is given twice");
    }
    if (!item.has("weight")) item.add_error("weight is missing");
    const std::int64_t weight = item.integer("weight", kWrong, 0, kWeightSum);
    all_read = all_read && weight != kWrong;
    sum += weight;
    cluster.weight = static_cast<std::uint32_t>(std::max<std::int64_t>(weight, 0));
    clusters.push_back(std::move(cluster));
  }
  if (all_read && sum != kWeightSum) {
    entry.add_error("weighted_clusters", "weights sum to " + std::to_string(sum) + ", expected " +
                                             std::to_string(kWeightSum));
  }
  return clusters;
}

void refuse_unknown(const YamlFields& entry, const std::vector<WeightedCluster>& destinations,
                    const std::vector<StaticCluster>& clusters) {
  const char* key = entry.has("cluster") ? "cluster" : "weighted_clusters";
  for (const WeightedCluster& one : destinations) {
    const bool is_known =
        std::ranges::find(clusters, one.name, &StaticCluster::name) != clusters.end();
    if (is_known || one.name.empty()) continue;
    entry.add_error(key, "no cluster " + one.name + " is defined in `clusters`");
  }
}

std::vector<WeightedCluster> read_destinations(const YamlFields& entry) {
  if (entry.has("cluster") == entry.has("weighted_clusters")) {
    entry.add_error(std::string("came ") + (entry.has("cluster") ? "both" : "none") +
                    " of cluster and weighted_clusters, expected one");
    return {};
  }
  if (entry.has("weighted_clusters")) return read_weighted_clusters(entry);
  return {{.name = read_route_name(entry, "cluster"),
           .weight = static_cast<std::uint32_t>(kWeightSum)}};
}

std::optional<std::chrono::milliseconds> read_timeout(const YamlFields& entry) {
  using namespace std::chrono_literals;
  if (!entry.has("timeout")) return std::nullopt;
  const std::string text = read_route_text(entry, "timeout");
  const auto timeout = dubbo::read_duration(text);
  if (!timeout || *timeout < 1ms || *timeout > kMaxRouteTimeout) {
    entry.add_error("timeout", "came '" + text + "', expected a duration from 1ms to " +
                                   dubbo::format_duration(kMaxRouteTimeout) +
                                   " such as 500ms or 2s");
    return std::nullopt;
  }
  return timeout;
}

// "reset, connect-failure"
std::vector<std::string> words_of(const std::vector<std::string>& texts) {
  std::vector<std::string> words;
  for (const std::string& text : texts) {
    std::string word;
    for (const char c : text + ",") {
      if (c == ',') {
        words.push_back(std::exchange(word, {}));
      } else if (c != ' ') {
        word += c;
      }
    }
  }
  return words;
}

// Whether a request is sent again that was sent and lost with its connection. One that was not sent
// (connect-failure) always goes to another provider.
bool reads_reset(const YamlFields& policy) {
  if (!policy.has("retry_on")) return true;
  bool on_reset = false;
  for (const std::string& word : words_of(policy.texts("retry_on"))) {
    if (word == "reset" || word == "true") {
      on_reset = true;
    } else if (word != "connect-failure" && word != "false") {
      policy.add_error("retry_on",
                       "came '" + word.substr(0, kMaxRouteNameBytes) +
                           "', expected reset (the connection is lost after the request was sent), "
                           "connect-failure, true or false: an answer, whatever it says, is an "
                           "answer, and is not asked for again");
    }
  }
  return on_reset;
}

std::optional<std::uint32_t> read_retries(const YamlFields& entry) {
  const auto policy = entry.map("retry_policy");
  if (!policy) return std::nullopt;
  policy->refuse_others_than({"retry_on", "retry_timeout", "num_retries"});
  if (policy->has("retry_timeout")) {
    policy->add_error("retry_timeout",
                      "not supported: a request that is not answered in time may still be carried "
                      "out, and is not sent again; `timeout` of the route bounds all tries");
  }
  const std::int64_t count = policy->integer("num_retries", kDefaultRetries, 0, kMaxRouteRetries);
  return reads_reset(*policy) ? static_cast<std::uint32_t>(count) : 0;
}

RouteEntry read_entry(const YamlFields& fields) {
  fields.refuse_others_than(
      {"name", "match", "cluster", "weighted_clusters", "timeout", "retry_policy"});
  return {.name = read_route_name(fields, "name"),
          .match = read_match(fields),
          .clusters = read_destinations(fields),
          .timeout = read_timeout(fields),
          .retries = read_retries(fields)};
}

}  // namespace

std::vector<RouteEntry> read_route_entries(const YamlFields& fields,
                                           const std::vector<StaticCluster>& clusters) {
  std::vector<RouteEntry> entries;
  std::set<std::string> names;
  for (const YamlFields& item : maps_up_to(kMaxRouteEntries, fields, "routes")) {
    RouteEntry entry = read_entry(item);
    refuse_unknown(item, entry.clusters, clusters);
    if (!entry.name.empty() && !names.insert(entry.name).second) {
      item.add_error("name", "there is another route " + entry.name);
    }
    entries.push_back(std::move(entry));
  }
  return entries;
}

}  // namespace skiff::governance
