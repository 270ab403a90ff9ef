#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "agent/config.h"
#include "dubbo/result.h"

namespace skiff::agent {

// One key of the configuration: in the file, as SKIFF_<KEY> in the environment, and as --<key> with
// dashes on the command line.
struct Setting {
  std::string_view key;  // "state_dir"
  std::string_view placeholder;
  std::string_view help;
  bool is_list;  // may be given more than once
  // Checks `values` (one, where it is no list) and puts them into the configuration. Fails with
  // "came ..., expected ...".
  std::function<Result<void>(AgentConfig&, const std::vector<std::string>& values)> apply;

  std::string flag() const;      // "--state-dir"
  std::string variable() const;  // "SKIFF_STATE_DIR"
};

// All of them, in the order of the manual.
std::span<const Setting> settings();
const Setting* find_setting(std::string_view key);

}  // namespace skiff::agent
