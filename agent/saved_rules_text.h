#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "agent/state_file.h"
#include "dubbo/result.h"
#include "registry/saved_state.h"

// The text of the state file of governance rules: JSON, so that people can read it. Pure.
namespace skiff::agent {

// Documents that are not UTF-8 lose what makes them so; rule URLs are written as the names of
// nodes are.
void write_text(const std::vector<registry::SavedRules>& rules, const TakePiece& take);
std::string to_text(const std::vector<registry::SavedRules>& rules);
// Fails with kMalformed. Rule URLs that cannot be read are left out; fields that are not known are
// ignored.
Result<std::vector<registry::SavedRules>> parse_saved_rules(std::string_view text);

}  // namespace skiff::agent
