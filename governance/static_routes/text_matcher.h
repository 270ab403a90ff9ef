#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "governance/static_routes/regex.h"
#include "governance/yaml_fields.h"

namespace skiff::governance {

// What a static route compares a method or an attachment with. Immutable: any thread may call.
struct TextMatcher {
  enum class Kind : std::uint8_t { kPresent, kExact, kPrefix, kSuffix, kRegex, kRange };

  Kind kind = Kind::kPresent;
  std::string text = {};            // of kExact, kPrefix, kSuffix
  std::optional<Regex> regex = {};  // of kRegex
  std::int64_t start = 0;           // of kRange: whole numbers from `start` to below `end`
  std::int64_t end = 0;
  bool invert = false;  // the others match: also what is not there

  // nullopt: it is not there. Allocates nothing.
  bool matches(std::optional<std::string_view> value) const;
  // Where it matches one text and nothing else. Of the matcher.
  std::optional<std::string_view> only_text() const;
  // For people: "prefix find", "not exact gray".
  std::string to_string() const;

  bool operator==(const TextMatcher&) const = default;
};

// The keys of a matcher, which stand beside the others of its map: exact, prefix, suffix, regex,
// range {start, end}, present, invert. Says in `fields` what is wrong.
TextMatcher read_text_matcher(const YamlFields& fields);

}  // namespace skiff::governance
