#include "governance/static_routes/route_fields.h"

#include "governance/static_routes/limits.h"
#include "governance/static_routes/virtual_host.h"

namespace skiff::governance {

std::string read_route_text(const YamlFields& fields, const char* key) {
  std::string text = fields.text(key);
  if (text.size() <= kMaxRouteTextBytes) return text;
  fields.add_error(key, "came " + std::to_string(text.size()) + " bytes, the limit is " +
                            std::to_string(kMaxRouteTextBytes));
  return {};
}

std::string read_route_name(const YamlFields& fields, const char* key) {
  const auto name = fields.optional_text(key);
  if (!name || is_route_name(*name)) return name.value_or("");
  fields.add_error(key, "came '" + name->substr(0, kMaxRouteNameBytes) +
                            "', expected a name of A-Z a-z 0-9 _ . - with at most " +
                            std::to_string(kMaxRouteNameBytes) + " bytes");
  return {};
}

std::string need_route_name(const YamlFields& fields, const char* key) {
  if (!fields.has(key)) fields.add_error(std::string(key) + " is missing");
  return read_route_name(fields, key);
}

std::vector<YamlFields> maps_up_to(std::size_t max, const YamlFields& fields, const char* key) {
  const YAML::Node list = fields.node(key);
  if (list.IsDefined() && list.IsSequence() && list.size() > max) {
    fields.add_error(key, "came " + std::to_string(list.size()) + " of them, the limit is " +
                              std::to_string(max));
    return {};
  }
  return fields.maps(key);
}

std::string one_of(const std::vector<std::string>& words) {
  std::string said;
  for (std::size_t i = 0; i < words.size(); ++i) {
    said += (i == 0 ? "" : i + 1 == words.size() ? " or " : ", ") + words[i];
  }
  return said;
}

}  // namespace skiff::governance
