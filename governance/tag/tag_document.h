#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dubbo/result.h"
#include "governance/matching/text_match.h"
#include "governance/tag/tag_addresses.h"

namespace skiff::governance {

// A tag of a document: the providers at `addresses`, or where it names none those whose parameters
// match, which count in documents of v3.0 only. One that has neither is no tag. Immutable.
struct DynamicTag {
  std::string name;
  bool has_addresses = false;
  TagAddresses addresses{{}};
  std::vector<std::pair<std::string, TextMatch>> match;  // parameter -> what it must be; all must
};

struct TagDocument {
  std::vector<DynamicTag> tags;  // empty: there is no rule
  bool force = false;            // tagged requests go to the tag's addresses or nowhere
};

// Reads "<application>.tag-router" (Dubbo's TagRuleParser). Fails with kMalformed and a sentence
// that names line and field, or with kTooLarge.
Result<TagDocument> parse_tag_document(std::string_view yaml);

}  // namespace skiff::governance
