#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "governance/yaml_fields.h"

namespace skiff::governance {

// Interfaces, as operators name them: "a.Demo", "a.*" (those that begin so), "*".
bool is_in_domain(std::string_view interface, std::string_view domain);

// A list of domains, each once; says in `fields` what is wrong.
std::vector<std::string> read_domains(const YamlFields& fields, const char* key);

}  // namespace skiff::governance
