#pragma once

#include <optional>
#include <string>
#include <vector>

#include "governance/request_view.h"
#include "governance/static_routes/text_matcher.h"
#include "governance/yaml_fields.h"

namespace skiff::governance {

struct AttachmentMatcher {
  std::string name;
  TextMatcher value;

  bool operator==(const AttachmentMatcher&) const = default;
};

// All of it must match; a request matches what is absent.
struct RouteMatch {
  std::optional<TextMatcher> method = {};
  std::vector<AttachmentMatcher> attachments = {};

  bool matches(const RequestView& request) const;
  bool matches_attachments(const RequestView& request) const;

  bool operator==(const RouteMatch&) const = default;
};

// The keys `method` and `attachments` of a map `match`. Says in `match` what is wrong.
RouteMatch read_route_match(const YamlFields& match);

// A matcher below `key`; a text alone is short for {exact: text}. nullopt where there is none.
std::optional<TextMatcher> read_optional_matcher(const YamlFields& fields, const char* key);

}  // namespace skiff::governance
