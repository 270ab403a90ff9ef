#include <algorithm>
#include <set>
#include <utility>

#include "governance/filters/filter_reader.h"
#include "governance/static_routes/domains.h"
#include "governance/static_routes/limits.h"
#include "governance/static_routes/route_entry_parser.h"
#include "governance/static_routes/route_fields.h"
#include "governance/static_routes/static_cluster_parser.h"
#include "governance/static_routes/virtual_host.h"

namespace skiff::governance {
namespace {

std::string read_name(const YamlFields& fields, std::string_view expected) {
  if (expected.empty()) return need_route_name(fields, "name");
  std::string name = read_route_name(fields, "name");
  if (!name.empty() && name != expected) {
    fields.add_error("name", "came '" + name + "', expected " + std::string(expected) +
                                 ", or none: that is the name which the request gives");
  }
  return std::string(expected);
}

// As in URLs: what they may not hold is refused, and version 0.0.0 means none.
std::string read_group_or_version(const YamlFields& fields, const char* key) {
  std::string text = read_route_text(fields, key);
  const bool is_clean = std::ranges::all_of(text, [](char c) {
    return static_cast<unsigned char>(c) > ' ' &&
           std::string_view("&=?%+/,*").find(c) == std::string_view::npos;
  });
  if (!is_clean) {
    fields.add_error(key, "came '" + text.substr(0, kMaxRouteNameBytes) +
                              "', expected one without spaces and without & = ? % + / , *");
  }
  return text;
}

}  // namespace

VirtualHost read_virtual_host(const YamlFields& fields, std::string_view name) {
  fields.refuse_others_than(
      {"name", "domains", "group", "version", "routes", "clusters", "filters"});
  VirtualHost host{.name = read_name(fields, name)};
  host.domains = read_domains(fields, "domains");
  host.group = read_group_or_version(fields, "group");
  host.version = read_group_or_version(fields, "version");
  if (host.version == "0.0.0") host.version.clear();
  host.clusters = read_static_clusters(fields);
  const YAML::Node routes = fields.node("routes");
  const bool has_routes = fields.has("routes") && !(routes.IsSequence() && routes.size() == 0);
  if (!has_routes && !fields.has("filters")) {
    fields.add_error("routes: came none, expected at least one, or filters");
  }
  host.routes = read_route_entries(fields, host.clusters);
  host.filters = read_filters(fields, FilterScope::kVirtualHost, host.clusters);
  return host;
}

Result<VirtualHost> parse_virtual_host(std::string_view text, std::string_view name) {
  VirtualHost host;
  const auto read = read_yaml_map(
      text, [&](const YamlFields& fields) { host = read_virtual_host(fields, name); });
  if (!read) return tl::unexpected<Error>(read.error());
  return host;
}

}  // namespace skiff::governance
