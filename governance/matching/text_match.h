#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "governance/matching/pattern.h"
#include "governance/yaml_fields.h"

namespace skiff::governance {

// What a rule asks of a text: Dubbo's StringMatch. Of several ways in one map the first that is
// written counts, in this order: exact, prefix, regex, wildcard ("*", or the text itself), empty,
// noempty. An absent text is matched by `empty` only.
class TextMatch {
 public:
  // Adds errors to those of `fields`, and matches nothing then.
  static TextMatch read(const YamlFields& fields);

  bool matches(std::optional<std::string_view> text) const;
  // Where it matches one text and nothing else. Of the match.
  std::optional<std::string_view> only_text() const;

 private:
  std::optional<std::string> exact_;
  std::optional<std::string> prefix_;
  std::optional<Pattern> regex_;
  std::optional<std::string> wildcard_;
  bool empty_ = false;
  bool noempty_ = false;
};

// One of several: Dubbo's ListStringMatch, {oneof: [...]}.
class TextMatchList {
 public:
  static TextMatchList read(const YamlFields& fields);

  bool matches(std::optional<std::string_view> text) const;

 private:
  std::vector<TextMatch> any_of_;
};

// Compiles the regular expression at `key`; an error of `fields`, and nullopt, where it is none.
std::optional<Pattern> read_pattern(const YamlFields& fields, const char* key);

}  // namespace skiff::governance
