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
// dashes on the command line. The reference in docs/configuration.md and the manual page are made
// of these (settings_reference.h), so all that a user must know of a key stands here.
struct Setting {
  std::string_view key;  // "state_dir"
  std::string_view placeholder;
  std::string_view help;  // one line; `code` in backticks, which the command line leaves out
  // As it is written in the file; given for the key, it changes nothing. "": see default_note.
  std::string_view default_value;
  std::string_view default_note;  // where the default is no fixed value: how it comes about
  std::string_view details;       // for the reference alone, in Markdown
  std::string allowed;            // "1ms to 1h"; "" where `help` or the placeholder say it
  bool is_list;                   // may be given more than once
  // Checks `values` (one, where it is no list) and puts them into the configuration. Fails with
  // "came ..., expected ...".
  std::function<Result<void>(AgentConfig&, const std::vector<std::string>& values)> apply;

  std::string flag() const;        // "--state-dir"
  std::string variable() const;    // "SKIFF_STATE_DIR"
  std::string plain_help() const;  // without backticks
};

// All of them, in the order of the manual.
std::span<const Setting> settings();
const Setting* find_setting(std::string_view key);

}  // namespace skiff::agent
