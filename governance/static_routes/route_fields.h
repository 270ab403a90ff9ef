#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "governance/yaml_fields.h"

// What the parts of a virtual host have in common when they are read.
namespace skiff::governance {

// A text of at most kMaxRouteTextBytes, "" with an error where it is longer.
std::string read_route_text(const YamlFields& fields, const char* key);
// A name as is_route_name() has it; "" where it is absent or, with an error, wrong.
std::string read_route_name(const YamlFields& fields, const char* key);
// As read_route_name(), but it must be there.
std::string need_route_name(const YamlFields& fields, const char* key);

// The maps of a list; none, with an error, where there are more than `max`.
std::vector<YamlFields> maps_up_to(std::size_t max, const YamlFields& fields, const char* key);

// A fixed set of words.
std::string one_of(const std::vector<std::string>& words);

}  // namespace skiff::governance
