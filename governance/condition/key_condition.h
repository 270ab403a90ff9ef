#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "dubbo/result.h"
#include "governance/condition/value_pattern.h"
#include "governance/request_view.h"
#include "governance/router.h"

namespace skiff::governance {

// What a condition says of one key: "host=10.*,11.* & host!=10.0.0.1". Immutable once parsed.
struct KeyCondition {
  enum class Source {
    kParameter,   // of the URL of the consumer, or of a provider
    kMethod,      // "method", "methods"; on the right side a parameter
    kAttachment,  // "attachments[name]"
    kArgument,    // "arguments[0]"
    kNothing,     // "attachments", "arguments[x]", either of them on the right side
  };
  std::string key;
  Source source = Source::kParameter;
  std::string attachment;    // of kAttachment
  std::size_t argument = 0;  // of kArgument
  std::vector<ValuePattern> wanted;
  std::vector<ValuePattern> unwanted;

  // `values` are names of the same thing, such as the two ports of a provider: none may be
  // unwanted, and one must be wanted where some are. No values, and no patterns, never hold.
  bool holds(std::span<const std::string_view> values, ConditionSide side) const;
  // What requests that it holds for meet, where it is about an attachment and wants nothing but
  // whole texts. Of the condition.
  std::optional<AttachmentDemand> demand() const;
  // Of all but kParameter, on the left side. Allocates nothing.
  bool holds(const RequestView& request) const;
};

// "method=find* & host!=10.0.0.1". All must hold.
using KeyConditions = std::vector<KeyCondition>;

// Reads one side of "=>". "consumer." and "provider." before a key or a reference mean nothing, the
// side says it. Fails with kMalformed.
Result<KeyConditions> parse_key_conditions(std::string_view text, ConditionSide side);
// Patterns in it.
std::size_t count_values(const KeyConditions& conditions);

}  // namespace skiff::governance
