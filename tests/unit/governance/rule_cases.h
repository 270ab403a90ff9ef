#pragma once

#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

#include <cctype>
#include <ostream>
#include <string>
#include <vector>

namespace skiff::governance {

// A case in one of the lists of tests/governance-cases/.
struct RuleCase {
  std::string name;
  YAML::Node fields;

  std::string text(const char* key, const char* fallback = "") const {
    const YAML::Node& readable = fields;
    return readable[key].as<std::string>(fallback);
  }
  bool has(const char* key) const {
    const YAML::Node& readable = fields;
    return readable[key].IsDefined();
  }
};
inline std::ostream& operator<<(std::ostream& out, const RuleCase& one) { return out << one.name; }

inline std::vector<RuleCase> load_rule_cases(const std::string& file) {
  std::vector<RuleCase> cases;
  const YAML::Node list =
      YAML::LoadFile(std::string(SKIFF_TEST_DATA) + "/governance-cases/" + file);
  for (const YAML::Node& one : list) {
    cases.push_back({.name = one["name"].as<std::string>(), .fields = one});
  }
  return cases;
}

// "ANameInWords" for "a name, in words".
inline std::string name_of_test(const testing::TestParamInfo<RuleCase>& info) {
  std::string name;
  bool begins_word = true;
  for (const char c : info.param.name) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0) {
      name += begins_word ? static_cast<char>(std::toupper(byte)) : c;
    }
    begins_word = std::isalnum(byte) == 0;
  }
  return name;
}

}  // namespace skiff::governance
