#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace skiff::registry {

// True where `text` can be one part of a ZooKeeper path as it is: Dubbo writes the names of
// applications, interfaces and revisions into these nodes without escapes.
bool is_path_part(std::string_view text);

// The applications that a mapping node names: "app-a,app-b" (Dubbo: ServiceNameMapping,
// getAppNames), trimmed, sorted, each once; what cannot be a name is left out, and what is over
// kMaxApplicationsOfInterface.
std::vector<std::string> parse_application_names(std::string_view content);

// True where `name` can be one of those names.
bool is_application_name(std::string_view name);

// What a mapping node that holds `content` has to hold instead so that it names `application`;
// empty where it does. What else is there stays as it is, whatever it is (Dubbo:
// MetadataServiceNameMapping.map).
std::optional<std::string> with_application(std::string_view content, std::string_view application);

}  // namespace skiff::registry
