#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "governance/router.h"
#include "governance/tag/tag_document.h"

namespace skiff::governance {

inline constexpr std::string_view kTagKey = "dubbo.tag";
inline constexpr std::string_view kForceTagKey = "dubbo.force.tag";

// Dubbo's TagStateRouter. A request has the tag of its attachment, else of its consumer's
// subscription. A tagged one goes to the providers that the document gives this tag (for "a|b|c"
// also "a|b", then "a"), else to those whose URL has it, else, unless it insists
// (dubbo.force.tag), to those without any tag. An untagged one goes to those without any tag.
std::shared_ptr<const Router> make_tag_router(std::string name, const TagDocument& document,
                                              const RuleScope& scope);

}  // namespace skiff::governance
