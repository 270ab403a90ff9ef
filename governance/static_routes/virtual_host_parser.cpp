#include <algorithm>
#include <set>
#include <utility>

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

// "a.Demo", "a.*", "*"
bool is_domain(std::string_view domain) {
  const std::string_view fixed =
      domain.ends_with('*') ? domain.substr(0, domain.size() - 1) : domain;
  return !domain.empty() && domain.size() <= kMaxRouteTextBytes &&
         std::ranges::all_of(fixed, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '_' || c == '$' || c == '.' || c == '-';
         });
}

std::vector<std::string> read_domains(const YamlFields& fields) {
  std::vector<std::string> domains = fields.texts("domains");
  if (!fields.has("domains") || (domains.empty() && fields.node("domains").IsSequence())) {
    fields.add_error(
        "domains: came none, expected the interfaces that are routed: a.Demo, a.* or "
        "*");
  }
  if (domains.size() > kMaxDomains) {
    fields.add_error("domains", "came " + std::to_string(domains.size()) +
                                    " of them, the limit is " + std::to_string(kMaxDomains));
    return {};
  }
  std::set<std::string_view> seen;
  for (const std::string& domain : domains) {
    if (!is_domain(domain)) {
      fields.add_error("domains", "came '" + domain.substr(0, kMaxRouteNameBytes) +
                                      "', expected an interface, a prefix* or *");
    } else if (!seen.insert(domain).second) {
      fields.add_error("domains", domain + " is given twice");
    }
  }
  return domains;
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
  fields.refuse_others_than({"name", "domains", "group", "version", "routes", "clusters"});
  VirtualHost host{.name = read_name(fields, name)};
  host.domains = read_domains(fields);
  host.group = read_group_or_version(fields, "group");
  host.version = read_group_or_version(fields, "version");
  if (host.version == "0.0.0") host.version.clear();
  host.clusters = read_static_clusters(fields);
  const YAML::Node routes = fields.node("routes");
  if (!fields.has("routes") || (routes.IsSequence() && routes.size() == 0)) {
    fields.add_error("routes: came none, expected at least one");
  }
  host.routes = read_route_entries(fields, host.clusters);
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
