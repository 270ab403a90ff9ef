#include "governance/static_routes/route_match.h"

#include <algorithm>

#include "governance/static_routes/limits.h"
#include "governance/static_routes/route_fields.h"

namespace skiff::governance {
namespace {

AttachmentMatcher read_attachment(const YamlFields& fields) {
  fields.refuse_others_than(
      {"name", "exact", "prefix", "suffix", "regex", "range", "present", "invert"});
  AttachmentMatcher matcher;
  matcher.name = read_route_text(fields, "name");
  if (matcher.name.empty()) fields.add_error("name is missing");
  matcher.value = read_text_matcher(fields);
  return matcher;
}

}  // namespace

bool RouteMatch::matches(const RequestView& request) const {
  return (!method || method->matches(request.method)) && matches_attachments(request);
}

bool RouteMatch::matches_attachments(const RequestView& request) const {
  return std::ranges::all_of(attachments, [&](const AttachmentMatcher& one) {
    return one.value.matches(request.attachment(one.name));
  });
}

std::optional<TextMatcher> read_optional_matcher(const YamlFields& fields, const char* key) {
  if (!fields.has(key)) return std::nullopt;
  if (fields.node(key).IsScalar()) {
    return TextMatcher{.kind = TextMatcher::Kind::kExact, .text = read_route_text(fields, key)};
  }
  const auto matcher = fields.map(key);
  if (!matcher) return std::nullopt;
  matcher->refuse_others_than({"exact", "prefix", "suffix", "regex", "range", "present", "invert"});
  return read_text_matcher(*matcher);
}

RouteMatch read_route_match(const YamlFields& match) {
  RouteMatch read;
  read.method = read_optional_matcher(match, "method");
  for (const YamlFields& item : maps_up_to(kMaxAttachmentMatchers, match, "attachments")) {
    read.attachments.push_back(read_attachment(item));
  }
  return read;
}

}  // namespace skiff::governance
