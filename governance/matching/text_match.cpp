#include "governance/matching/text_match.h"

#include <algorithm>
#include <utility>

namespace skiff::governance {

std::optional<Pattern> read_pattern(const YamlFields& fields, const char* key) {
  const auto text = fields.optional_text(key);
  if (!text) return std::nullopt;
  auto pattern = Pattern::compile(*text);
  if (!pattern) {
    fields.add_error(key, pattern.error().message);
    return std::nullopt;
  }
  return *std::move(pattern);
}

TextMatch TextMatch::read(const YamlFields& fields) {
  fields.refuse_others_than({"exact", "prefix", "regex", "wildcard", "empty", "noempty"});
  TextMatch match;
  match.exact_ = fields.optional_text("exact");
  match.prefix_ = fields.optional_text("prefix");
  match.regex_ = read_pattern(fields, "regex");
  match.wildcard_ = fields.optional_text("wildcard");
  match.empty_ = fields.has("empty");
  match.noempty_ = fields.has("noempty");
  if (fields.keys().empty()) {
    fields.add_error("expected one of exact, prefix, regex, wildcard, empty, noempty");
  }
  return match;
}

bool TextMatch::matches(std::optional<std::string_view> text) const {
  if (text) {
    if (exact_) return *text == *exact_;
    if (prefix_) return text->starts_with(*prefix_);
    if (regex_) return regex_->matches(*text);
    if (wildcard_) return *wildcard_ == "*" || *text == *wildcard_;
  }
  const bool is_empty = !text || text->empty();
  return (empty_ && is_empty) || (!empty_ && noempty_ && !is_empty);
}

std::optional<std::string_view> TextMatch::only_text() const {
  // An absent text is compared with `empty` and `noempty` alone, also where `exact` stands beside.
  if (!exact_ || empty_) return std::nullopt;
  return *exact_;
}

TextMatchList TextMatchList::read(const YamlFields& fields) {
  fields.refuse_others_than({"oneof"});
  TextMatchList list;
  if (!fields.has("oneof")) fields.add_error("oneof: expected a list of matches");
  for (const YamlFields& one : fields.maps("oneof")) list.any_of_.push_back(TextMatch::read(one));
  return list;
}

bool TextMatchList::matches(std::optional<std::string_view> text) const {
  return std::ranges::any_of(any_of_, [text](const TextMatch& one) { return one.matches(text); });
}

}  // namespace skiff::governance
