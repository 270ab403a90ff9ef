#pragma once

#include <string>

namespace skiff::agent {

// The reference of all keys, made of settings(): what scripts/reference writes into
// docs/configuration.md and packaging/skiff.8, between two lines that say so.
std::string settings_markdown();  // a table
std::string settings_manual();    // tagged paragraphs for man(7)

}  // namespace skiff::agent
