#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "governance/condition/key_condition.h"
#include "governance/router.h"

namespace skiff::governance {

// One condition of a rule: "<when> => <then>", or since v3.1 several places to go to. Immutable;
// shared by the rule and the routers that it was compiled into.
struct RoutingCondition {
  struct Destination {
    bool takes_all = false;  // else a provider must meet all of `then`, of which there is one
    KeyConditions then;
    std::uint32_t weight = 1;
    std::string detail;  // for people: "env=gray, weight 900"
  };

  std::string name;                       // of the router
  KeyConditions when;                     // empty: all requests
  std::vector<Destination> destinations;  // empty: these requests are refused, force or not
  bool force = false;                     // refused where no destination has a provider
};

// The router of one consumer. What `when` says of the consumer is worked out here: where it does
// not hold, the router concerns no method.
std::shared_ptr<const Router> compile_condition(std::shared_ptr<const RoutingCondition> condition,
                                                const RuleScope& scope);

}  // namespace skiff::governance
