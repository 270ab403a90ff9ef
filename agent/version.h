#pragma once

#include <string>
#include <string_view>

namespace skiff::agent {

std::string_view version();  // "0.1.0"
std::string_view commit();   // of the sources it was built from; "unknown" outside of a checkout

// What `skiff version` prints: version, commit, compiler and libraries, a line each.
std::string version_text();

}  // namespace skiff::agent
