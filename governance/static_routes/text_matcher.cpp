#include "governance/static_routes/text_matcher.h"

#include <array>
#include <charconv>
#include <limits>
#include <utility>

#include "governance/static_routes/limits.h"

namespace skiff::governance {
namespace {

using Kind = TextMatcher::Kind;

constexpr std::array<const char*, 6> kKindNames = {"present", "exact", "prefix",
                                                   "suffix",  "regex", "range"};

std::optional<std::int64_t> whole_number(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool is_number = error == std::errc() && end == text.data() + text.size();
  return is_number ? std::optional(number) : std::nullopt;
}

bool matches_as_it_is(const TextMatcher& matcher, std::string_view value) {
  switch (matcher.kind) {
    case Kind::kPresent:
      return true;
    case Kind::kExact:
      return value == matcher.text;
    case Kind::kPrefix:
      return value.starts_with(matcher.text);
    case Kind::kSuffix:
      return value.ends_with(matcher.text);
    case Kind::kRegex:
      return matcher.regex && matcher.regex->matches(value);
    case Kind::kRange: {
      const auto number = whole_number(value);
      return number && *number >= matcher.start && *number < matcher.end;
    }
  }
  return false;
}

// Where exactly one of the kinds is given.
std::optional<Kind> kind_of(const YamlFields& fields) {
  std::optional<Kind> kind;
  std::size_t given = 0;
  for (std::size_t i = 0; i < kKindNames.size(); ++i) {
    if (!fields.has(kKindNames[i])) continue;
    kind = static_cast<Kind>(i);
    ++given;
  }
  if (given == 1) return kind;
  fields.add_error(std::string("came ") + (given == 0 ? "none" : "several") +
                   " of exact, prefix, suffix, regex, range and present, expected one");
  return std::nullopt;
}

std::string text_to_compare(const YamlFields& fields, const char* key) {
  std::string text = fields.text(key);
  if (text.size() > kMaxRouteTextBytes) {
    fields.add_error(key, "came " + std::to_string(text.size()) + " bytes, the limit is " +
                              std::to_string(kMaxRouteTextBytes));
    text.clear();
  }
  return text;
}

void read_range(const YamlFields& fields, TextMatcher& matcher) {
  constexpr auto kMin = std::numeric_limits<std::int64_t>::min();
  constexpr auto kMax = std::numeric_limits<std::int64_t>::max();
  const auto range = fields.map("range");
  range->refuse_others_than({"start", "end"});
  for (const char* key : {"start", "end"}) {
    if (!range->has(key)) return range->add_error(std::string(key) + " is missing");
  }
  matcher.start = range->integer("start", 0, kMin, kMax);
  matcher.end = range->integer("end", 0, kMin, kMax);
  if (matcher.start >= matcher.end) {
    range->add_error("nothing is from " + std::to_string(matcher.start) + " to below " +
                     std::to_string(matcher.end));
  }
}

void read_regex(const YamlFields& fields, TextMatcher& matcher) {
  auto regex = Regex::compile(fields.text("regex"));
  if (regex) {
    matcher.regex = std::move(*regex);
  } else {
    fields.add_error("regex", regex.error().message);
  }
}

}  // namespace

bool TextMatcher::matches(std::optional<std::string_view> value) const {
  return (value && matches_as_it_is(*this, *value)) != invert;
}

std::optional<std::string_view> TextMatcher::only_text() const {
  if (kind != Kind::kExact || invert) return std::nullopt;
  return text;
}

std::string TextMatcher::to_string() const {
  std::string said = invert ? "not " : "";
  said += kKindNames[static_cast<std::size_t>(kind)];
  if (kind == Kind::kRegex && regex) return said + " " + regex->pattern();
  if (kind == Kind::kRange) return said + " " + std::to_string(start) + ".." + std::to_string(end);
  return text.empty() ? said : said + " " + text;
}

TextMatcher read_text_matcher(const YamlFields& fields) {
  TextMatcher matcher;
  matcher.invert = fields.boolean("invert", false);
  const auto kind = kind_of(fields);
  if (!kind) return matcher;
  matcher.kind = *kind;
  switch (*kind) {
    case Kind::kPresent:
      // present: false is Envoy's way to say that it must not be there.
      if (!fields.boolean("present", true)) matcher.invert = !matcher.invert;
      break;
    case Kind::kRange:
      read_range(fields, matcher);
      break;
    case Kind::kRegex:
      read_regex(fields, matcher);
      break;
    default:
      matcher.text = text_to_compare(fields, kKindNames[static_cast<std::size_t>(*kind)]);
  }
  return matcher;
}

}  // namespace skiff::governance
