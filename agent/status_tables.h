#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

// GET /status for people, as text: `skiff status`.
namespace skiff::agent {

struct StatusTable {
  std::string title;
  std::vector<std::string> columns;
  std::vector<std::vector<std::string>> rows;
  std::string when_empty;  // what is said where there are no rows
};

// What is in `status`, the document of status_json(); what is missing in it is left out, so that a
// program may ask an agent of another version.
std::vector<StatusTable> status_tables(const nlohmann::ordered_json& status);
std::string status_headline(const nlohmann::ordered_json& status);

std::string status_as_text(const nlohmann::ordered_json& status);

}  // namespace skiff::agent
