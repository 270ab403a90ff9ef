#include "dubbo/service_key.h"

namespace skiff::dubbo {
namespace {

std::string_view without_spaces_around(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

// `group` is never empty here: an absent group is in no list.
bool is_in_comma_list(std::string_view list, std::string_view group) {
  while (true) {
    const auto comma = list.find(',');
    if (without_spaces_around(list.substr(0, comma)) == group) return true;
    if (comma == std::string_view::npos) return false;
    list.remove_prefix(comma + 1);
  }
}

}  // namespace

bool group_matches(std::string_view wanted, std::string_view provided) {
  if (wanted == provided || wanted == "*") return true;
  return !provided.empty() && is_in_comma_list(wanted, provided);
}

bool version_matches(std::string_view wanted, std::string_view provided) {
  return wanted == "*" || normalized_version(wanted) == normalized_version(provided);
}

std::string ServiceKey::to_string() const {
  std::string text;
  text.reserve(group.size() + interface.size() + version.size() + 2);
  if (!group.empty()) text.append(group).append(1, '/');
  text += interface;
  if (!version.empty()) text.append(1, ':').append(version);
  return text;
}

bool matches(const ServiceKey& wanted, const ServiceKey& provider) {
  if (wanted.interface != "*" && wanted.interface != provider.interface) return false;
  return version_matches(wanted.version, provider.version) &&
         group_matches(wanted.group, provider.group);
}

}  // namespace skiff::dubbo
