#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "dubbo/consumer_identity.h"
#include "dubbo/url.h"
#include "governance/policy.h"
#include "governance/provider_set.h"
#include "governance/request_view.h"

namespace skiff::governance {

// Decides between destinations with weights.
class Draw {
 public:
  virtual ~Draw() = default;
  // An index, in proportion to the weights, of which one at least is not 0.
  virtual std::size_t choose(std::span<const std::uint32_t> weights) = 0;
};

// What a router may ask of requests before anything else: that an attachment is one of a few texts.
struct AttachmentDemand {
  std::string_view key;
  std::vector<std::string_view> texts;
};

// One rule, compiled against the providers of one cluster. Immutable: any thread may call. Which
// providers it means is worked out when it is compiled; of a request it reads only what it
// mentions, and allocates nothing.
class Router {
 public:
  enum class Outcome : std::uint8_t {
    kNoMatch,   // the rule does not concern this request
    kNarrowed,  // the providers are those it means, of those that were left
    kIgnored,   // it would have left none, and does not insist (force: false)
    kRefused,   // none is left: the request is refused
  };
  struct Result {
    Outcome outcome = Outcome::kNoMatch;
    const RoutePolicy* policy = nullptr;  // of the router; where it says more than who is asked
    std::string_view detail = {};         // for people: which of its destinations; of the router
  };

  virtual ~Router() = default;

  // For people, a line: "condition rule a.Demo::.condition-router, line 2: method=find* =>
  // host=10.*"
  virtual const std::string& name() const = 0;
  // False where no request for this method can match: it is not asked then.
  virtual bool concerns(std::string_view method) const = 0;
  // False where all requests for one method have the same result.
  virtual bool reads_more_than_method() const = 0;
  // What all requests that match meet; nullopt where nothing of the kind is known. The views live
  // as long as the router.
  virtual std::optional<AttachmentDemand> demand() const { return std::nullopt; }
  // Of several routers of one group (not 0) that stand together, only the first that matches is
  // applied.
  virtual std::uint32_t group() const { return 0; }
  // Of requests for methods that it concerns. Narrows `providers`, which is not empty; where the
  // outcome is not kNarrowed it stays as it was.
  virtual Result apply(const RequestView& request, Draw& draw, ProviderSet& providers) const = 0;
};
using Routers = std::vector<std::shared_ptr<const Router>>;

// Groups of routers; those of mesh rules have the top bit.
inline constexpr std::uint32_t kTagGroup = 1;
inline constexpr std::uint32_t kStaticRouteGroup = 2;

// What a rule is compiled against.
struct RuleScope {
  std::string_view interface;
  std::string_view group;
  std::string_view version;  // normalized
  std::span<const dubbo::Url>
      providers;  // in the order of Cluster::providers, configurators applied
  const dubbo::ConsumerIdentity& consumer;
};

// A rule as it was read; immutable.
class RouterRule {
 public:
  virtual ~RouterRule() = default;
  // Adds the routers that stand for it, in order; none where it concerns nobody here.
  virtual void compile(const RuleScope& scope, Routers& out) const = 0;
};

}  // namespace skiff::governance
