#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "governance/static_routes/virtual_host.h"

namespace skiff::agent {

// A value that a source gives for a key, with where it stands: "/etc/skiff/skiff.yaml:12".
struct SourcedValue {
  std::string key;
  std::vector<std::string> values;
  std::string origin;
};

// What a source says; each error is a sentence that begins with its origin.
struct SourceReading {
  std::vector<SourcedValue> values;
  // Of the keys `routes` and `filters`, which only files have.
  std::vector<governance::VirtualHostPtr> routes = {};
  std::vector<governance::FilterEntryPtr> filters = {};
  std::vector<std::string> errors;
};

// Reads the text of a YAML file; `name` is what errors call it. Whether keys exist and values fit
// is checked here as well, so that all that is wrong is said at once.
SourceReading parse_config_text(std::string_view text, const std::string& name);

// Reads a file of at most 1 MiB; a file that cannot be read is an error.
SourceReading read_config_file(const std::string& path);

}  // namespace skiff::agent
