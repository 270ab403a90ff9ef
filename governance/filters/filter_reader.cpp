#include "governance/filters/filter_reader.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "dubbo/text_writers.h"
#include "governance/filters/filter_kinds.h"
#include "governance/static_routes/limits.h"
#include "governance/static_routes/route_fields.h"

namespace skiff::governance {
namespace {

std::vector<std::string> kind_names() {
  std::vector<std::string> names;
  for (const FilterKind& kind : filter_kinds()) names.emplace_back(kind.name);
  return names;
}

// The one kind that is given; null, with an error, where there is none or several.
const FilterKind* kind_of(const YamlFields& fields) {
  const FilterKind* found = nullptr;
  std::size_t given = 0;
  for (const FilterKind& kind : filter_kinds()) {
    if (!fields.has(kind.name)) continue;
    found = &kind;
    ++given;
  }
  if (given == 1) return found;
  fields.add_error(std::string("came ") + (given == 0 ? "none" : "several") + " of " +
                   one_of(kind_names()) +
                   ", expected one; a kind without settings is written as identity: {}");
  return nullptr;
}

void refuse_unknown_keys(const YamlFields& fields, FilterScope scope) {
  std::vector<std::string> known = {"name", "match"};
  if (scope == FilterScope::kFile) known.emplace_back("services");
  for (const FilterKind& kind : filter_kinds()) known.emplace_back(kind.name);
  fields.refuse_others_than(std::vector<std::string_view>(known.begin(), known.end()));
}

void read_filter_match(const YamlFields& fields, FilterEntry& entry) {
  const auto match = fields.map("match");
  if (!match) return;
  match->refuse_others_than({"method", "attachments", "application"});
  entry.match = read_route_match(*match);
  entry.application = read_optional_matcher(*match, "application");
}

// Its depth is what YAML's parser allows.
void append_json(const YAML::Node& node, std::string& json) {
  const char* separator = "";
  if (node.IsScalar()) {
    dubbo::append_json_string(node.Scalar(), json);
  } else if (node.IsSequence()) {
    json += '[';
    for (const YAML::Node& item : node) {
      json += std::exchange(separator, ",");
      append_json(item, json);
    }
    json += ']';
  } else if (node.IsMap()) {
    json += '{';
    for (const auto& entry : node) {
      json += std::exchange(separator, ",");
      dubbo::append_json_string(entry.first.IsScalar() ? entry.first.Scalar() : "", json);
      json += ':';
      append_json(entry.second, json);
    }
    json += '}';
  } else {
    json += "null";
  }
}

std::string json_text(const YamlFields& fields) {
  std::string json;
  append_json(fields.whole(), json);
  return json;
}

FilterEntryPtr read_filter(const YamlFields& fields, FilterScope scope,
                           const std::vector<StaticCluster>& clusters) {
  refuse_unknown_keys(fields, scope);
  FilterEntry entry;
  entry.name = need_route_name(fields, "name");
  if (scope == FilterScope::kFile && fields.has("services")) {
    entry.services = read_domains(fields, "services");
  }
  read_filter_match(fields, entry);
  const FilterKind* kind = kind_of(fields);
  if (kind == nullptr) return nullptr;
  entry.kind = kind->name;
  const auto settings = fields.map(kind->name);
  if (!settings) return nullptr;
  entry.filter = kind->read(*settings, clusters);
  entry.json = json_text(fields);
  return entry.filter ? std::make_shared<const FilterEntry>(std::move(entry)) : nullptr;
}

}  // namespace

std::vector<FilterEntryPtr> read_filters(const YamlFields& fields, FilterScope scope,
                                         const std::vector<StaticCluster>& clusters) {
  std::vector<FilterEntryPtr> filters;
  std::set<std::string, std::less<>> names;
  for (const YamlFields& item : maps_up_to(kMaxFilters, fields, "filters")) {
    FilterEntryPtr filter = read_filter(item, scope, clusters);
    if (!filter) continue;
    if (!filter->name.empty() && !names.insert(filter->name).second) {
      item.add_error("name", "there is another filter " + filter->name);
    }
    filters.push_back(std::move(filter));
  }
  return filters;
}

void keep_unchanged(const std::vector<FilterEntryPtr>& before, std::vector<FilterEntryPtr>& now) {
  for (FilterEntryPtr& filter : now) {
    const auto same = std::ranges::find_if(
        before, [&](const FilterEntryPtr& old) { return are_alike(old, filter); });
    if (same != before.end()) filter = *same;
  }
}

}  // namespace skiff::governance
