#include "registry/application/application_names.h"

#include <algorithm>

#include "registry/limits.h"

namespace skiff::registry {
namespace {

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const auto first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

// Cuts the first name off `content`.
std::string_view take_name(std::string_view& content) {
  const auto comma = content.find(',');
  const std::string_view name = trimmed(content.substr(0, comma));
  content.remove_prefix(comma == std::string_view::npos ? content.size() : comma + 1);
  return name;
}

}  // namespace

bool is_path_part(std::string_view text) {
  if (text.empty() || text.size() > kMaxNameBytes || text == "." || text == "..") return false;
  return std::none_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte <= ' ' || byte >= 0x7f || c == '/';
  });
}

std::vector<std::string> parse_application_names(std::string_view content) {
  std::vector<std::string> names;
  while (!content.empty() && names.size() < kMaxApplicationsOfInterface) {
    const std::string_view name = take_name(content);
    if (is_path_part(name)) names.emplace_back(name);
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

bool is_application_name(std::string_view name) {
  return is_path_part(name) && name.find(',') == std::string_view::npos;
}

std::optional<std::string> with_application(std::string_view content,
                                            std::string_view application) {
  for (std::string_view rest = content; !rest.empty();) {
    if (take_name(rest) == application) return std::nullopt;
  }
  std::string all(trimmed(content).empty() ? std::string_view() : content);
  if (!all.empty() && all.back() != ',') all += ',';
  return all.append(application);
}

}  // namespace skiff::registry
