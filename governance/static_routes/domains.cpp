#include "governance/static_routes/domains.h"

#include <algorithm>
#include <set>

#include "governance/static_routes/limits.h"

namespace skiff::governance {
namespace {

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

}  // namespace

bool is_in_domain(std::string_view interface, std::string_view domain) {
  if (!domain.ends_with('*')) return interface == domain;
  return interface.starts_with(domain.substr(0, domain.size() - 1));
}

std::vector<std::string> read_domains(const YamlFields& fields, const char* key) {
  std::vector<std::string> domains = fields.texts(key);
  if (!fields.has(key) || (domains.empty() && fields.node(key).IsSequence())) {
    fields.add_error(std::string(key) +
                     ": came none, expected the interfaces that are meant: a.Demo, a.* or *");
  }
  if (domains.size() > kMaxDomains) {
    fields.add_error(key, "came " + std::to_string(domains.size()) + " of them, the limit is " +
                              std::to_string(kMaxDomains));
    return {};
  }
  std::set<std::string_view> seen;
  for (const std::string& domain : domains) {
    if (!is_domain(domain)) {
      fields.add_error(key, "came '" + domain.substr(0, kMaxRouteNameBytes) +
                                "', expected an interface, a prefix* or *");
    } else if (!seen.insert(domain).second) {
      fields.add_error(key, domain + " is given twice");
    }
  }
  return domains;
}

}  // namespace skiff::governance
