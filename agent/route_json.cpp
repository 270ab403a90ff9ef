#include "agent/route_json.h"

#include <string>

#include "dubbo/durations.h"
#include "dubbo/url.h"

namespace skiff::agent {
namespace {

using governance::RouteEntry;
using governance::StaticCluster;
using governance::TextMatcher;
using nlohmann::ordered_json;

void add_matcher(const TextMatcher& matcher, ordered_json& json) {
  using Kind = TextMatcher::Kind;
  switch (matcher.kind) {
    case Kind::kPresent:
      json["present"] = true;
      break;
    case Kind::kExact:
      json["exact"] = matcher.text;
      break;
    case Kind::kPrefix:
      json["prefix"] = matcher.text;
      break;
    case Kind::kSuffix:
      json["suffix"] = matcher.text;
      break;
    case Kind::kRegex:
      json["regex"] = matcher.regex ? matcher.regex->pattern() : "";
      break;
    case Kind::kRange:
      json["range"] = {{"start", matcher.start}, {"end", matcher.end}};
      break;
  }
  if (matcher.invert) json["invert"] = true;
}

ordered_json match_json(const governance::RouteMatch& match) {
  ordered_json json = ordered_json::object();
  if (match.method) add_matcher(*match.method, json["method"]);
  for (const governance::AttachmentMatcher& one : match.attachments) {
    ordered_json attachment = {{"name", one.name}};
    add_matcher(one.value, attachment);
    json["attachments"].push_back(std::move(attachment));
  }
  return json;
}

ordered_json entry_json(const RouteEntry& entry) {
  ordered_json json;
  if (!entry.name.empty()) json["name"] = entry.name;
  if (entry.match != governance::RouteMatch()) json["match"] = match_json(entry.match);
  if (entry.clusters.size() == 1) {
    json["cluster"] = entry.clusters.front().name;
  } else {
    for (const governance::WeightedCluster& one : entry.clusters) {
      json["weighted_clusters"].push_back({{"name", one.name}, {"weight", one.weight}});
    }
  }
  if (entry.timeout) json["timeout"] = dubbo::format_duration(*entry.timeout);
  if (entry.retries)
    json["retry_policy"] = {{"retry_on", "reset"}, {"num_retries", *entry.retries}};
  return json;
}

ordered_json cluster_json(const StaticCluster& cluster) {
  ordered_json json = {{"name", cluster.name}};
  if (cluster.balance) json["lb_type"] = governance::lb_type_of(*cluster.balance);
  if (!cluster.subset.empty()) json["subset"] = cluster.subset;
  for (const governance::StaticHost& host : cluster.hosts) {
    json["hosts"].push_back(
        {{"address", dubbo::format_host_port(host.host, host.port)}, {"weight", host.weight}});
  }
  return json;
}

}  // namespace

ordered_json to_json(const governance::VirtualHost& host) {
  ordered_json json = {{"name", host.name}, {"domains", host.domains}};
  if (!host.group.empty()) json["group"] = host.group;
  if (!host.version.empty()) json["version"] = host.version;
  json["routes"] = ordered_json::array();
  for (const RouteEntry& entry : host.routes) json["routes"].push_back(entry_json(entry));
  json["clusters"] = ordered_json::array();
  for (const StaticCluster& cluster : host.clusters) {
    json["clusters"].push_back(cluster_json(cluster));
  }
  for (const governance::FilterEntryPtr& filter : host.filters) {
    json["filters"].push_back(ordered_json::parse(filter->json));
  }
  return json;
}

}  // namespace skiff::agent
