#pragma once

#include <string_view>

namespace skiff::agent {

// agent/openapi.json, as it was when the program was built.
std::string_view openapi_document();

}  // namespace skiff::agent
