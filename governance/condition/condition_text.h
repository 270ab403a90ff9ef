#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "dubbo/result.h"
#include "governance/condition/condition_router.h"

namespace skiff::governance {

// Reads "<when> => <then>"; without "=>" it is all `then`. An empty `when`, or "true", stands for
// all requests; an empty `then`, or "false", refuses them. The name is left open. Fails with
// kMalformed.
Result<RoutingCondition> parse_routing_condition(std::string_view text);

// Reads one of the destinations of a condition of v3.1, in which an empty `match`, or "false",
// stands for all providers. Fails with kMalformed.
Result<RoutingCondition::Destination> parse_destination(std::string_view match,
                                                        std::uint32_t weight);
// Reads the `from` of v3.1: an empty one, or "true", stands for all requests.
Result<KeyConditions> parse_when(std::string_view match);

// Patterns in it, for kMaxRuleValues.
std::size_t count_values(const RoutingCondition& condition);

}  // namespace skiff::governance
