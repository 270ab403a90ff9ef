#include "agent/explanation_report.h"

#include <array>
#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "agent/json_fields.h"

namespace skiff::agent {
namespace {

using forwarder::Explanation;
using nlohmann::ordered_json;

ordered_json step_json(const Explanation::Step& step) {
  ordered_json json = {{"rule", step.rule}, {"outcome", step.outcome}};
  if (!step.detail.empty()) json["detail"] = step.detail;
  if (!step.left.empty()) json["left"] = step.left;
  return json;
}

ordered_json path_json(const Explanation::Path& path) {
  ordered_json json = {{"probability", path.probability}, {"rules", ordered_json::array()}};
  for (const Explanation::Step& step : path.steps) json["rules"].push_back(step_json(step));
  if (!path.refused.empty()) json["refused"] = path.refused;
  if (!path.balancer.empty()) json["loadbalance"] = path.balancer;
  if (!path.policy_of_rule.empty()) {
    ordered_json policy = {{"source", path.policy_of_rule}};
    if (path.rule_timeout) policy["timeout_ms"] = path.rule_timeout->count();
    if (path.rule_retries) policy["retries"] = *path.rule_retries;
    json["policy"] = std::move(policy);
  }
  return json;
}

ordered_json provider_json(const Explanation::Provider& provider, ordered_json values) {
  return {{"address", provider.address},
          {"probability", provider.probability},
          {"weight", provider.weight},
          {"state", provider.state},
          {"values", std::move(values)}};
}

// --- as text

ordered_json list_of(const ordered_json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_array() ? *found : ordered_json::array();
}

std::string percent(const ordered_json& json) {
  const auto found = json.find("probability");
  if (found == json.end() || !found->is_number()) return "";
  std::array<char, 16> text{};
  constexpr double kHundred = 100;
  const int size =
      std::snprintf(text.data(), text.size(), "%5.1f %%", found->get<double>() * kHundred);
  return {text.data(), static_cast<std::size_t>(size)};
}

std::string joined(const ordered_json& list) {
  std::string text;
  for (const ordered_json& item : list) {
    if (!text.empty()) text += ", ";
    text += item.is_string() ? item.get<std::string>() : to_text(item);
  }
  return text;
}

void append_path(const ordered_json& path, std::string& text) {
  for (const ordered_json& step : list_of(path, "rules")) {
    text += "  " + text_of(step, "rule") + "\n    " + text_of(step, "outcome");
    const std::string detail = text_of(step, "detail");
    if (!detail.empty()) text += ": " + detail;
    const ordered_json left = list_of(step, "left");
    if (!left.empty()) text += "; left: " + joined(left);
    text += "\n";
  }
  const std::string refused = text_of(path, "refused");
  if (!refused.empty()) text += "  REFUSED by " + refused + "\n";
  const std::string balance = text_of(path, "loadbalance");
  if (!balance.empty()) text += "  load balance: " + balance + "\n";
  const auto policy = path.find("policy");
  if (policy == path.end()) return;
  text += "  policy of " + text_of(*policy, "source");
  const std::string timeout = text_of(*policy, "timeout_ms");
  if (!timeout.empty()) text += ", timeout " + timeout + " ms";
  const std::string retries = text_of(*policy, "retries");
  if (!retries.empty()) text += ", retries " + retries;
  text += "\n";
}

void append_provider(const ordered_json& provider, std::string& text) {
  text += "  " + percent(provider) + "  " + text_of(provider, "address") + "  weight " +
          text_of(provider, "weight") + ", " + text_of(provider, "state") + "\n";
  for (const ordered_json& value : list_of(provider, "values")) {
    text += "             " + text_of(value, "key") + "=" + text_of(value, "value") + "  (" +
            text_of(value, "source") + ")\n";
  }
}

}  // namespace

ordered_json explanation_json(const forwarder::ExplainRequest& asked,
                              const Explanation& explanation,
                              const std::vector<ProviderValue>& values) {
  ordered_json json = {{"interface", asked.interface}, {"method", asked.method}};
  json["group"] = explanation.group;
  json["version"] = explanation.version;
  json["cluster"] = explanation.cluster_mode;
  json["sticky"] = explanation.sticky;
  json["filters"] = explanation.filters;
  json["paths"] = ordered_json::array();
  for (const Explanation::Path& path : explanation.paths) json["paths"].push_back(path_json(path));
  json["more_paths"] = explanation.has_more_paths;
  json["not_for_this_method"] = explanation.unconcerned;
  std::map<std::string, ordered_json> values_of;  // by address
  for (const ProviderValue& value : values) {
    values_of[value.provider].push_back(
        {{"key", value.key}, {"value", value.value}, {"source", value.source}});
  }
  json["providers"] = ordered_json::array();
  for (const Explanation::Provider& provider : explanation.providers) {
    const auto known = values_of.find(provider.address);
    json["providers"].push_back(
        provider_json(provider, known == values_of.end() ? ordered_json::array() : known->second));
  }
  return json;
}

std::string explanation_as_text(const ordered_json& explanation) {
  std::string text = text_of(explanation, "interface");
  const std::string version = text_of(explanation, "version");
  if (!version.empty()) text += ":" + version;
  const std::string group = text_of(explanation, "group");
  if (!group.empty()) text += ", group " + group;
  text += ", method " + text_of(explanation, "method") + ", cluster " +
          text_of(explanation, "cluster") + "\n";
  const ordered_json paths = list_of(explanation, "paths");
  for (const ordered_json& path : paths) {
    text += paths.size() > 1 ? "\nrules (" + percent(path) + " of the requests)\n" : "\nrules\n";
    append_path(path, text);
  }
  const ordered_json filters = list_of(explanation, "filters");
  if (!filters.empty()) text += "\nfilters\n";
  for (const ordered_json& filter : filters) text += "  " + filter.get<std::string>() + "\n";
  const ordered_json unconcerned = list_of(explanation, "not_for_this_method");
  if (!unconcerned.empty()) text += "\nrules that never concern this method\n";
  for (const ordered_json& rule : unconcerned) text += "  " + rule.get<std::string>() + "\n";
  text += "\nproviders\n";
  for (const ordered_json& provider : list_of(explanation, "providers")) {
    append_provider(provider, text);
  }
  return text;
}

}  // namespace skiff::agent
