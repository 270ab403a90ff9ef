// Documents "<application>.tag-router", and what stands where there is none.

#include <algorithm>
#include <utility>

#include "governance/router_rules.h"
#include "governance/rule_key.h"
#include "governance/tag/tag_document.h"
#include "governance/tag/tag_router.h"

namespace skiff::governance {
namespace {

constexpr std::string_view kSuffix = ".tag-router";

class TagRule final : public RouterRule {
 public:
  TagRule(const std::string& key, TagDocument document)
      : key_(key, kSuffix), name_("tag rule " + key), document_(std::move(document)) {}

  void compile(const RuleScope& scope, Routers& out) const override {
    if (!key_.is_provider_application(scope)) return;
    out.push_back(make_tag_router(name_, document_, scope));
  }

 private:
  RuleKey key_;
  std::string name_;
  TagDocument document_;
};

class StaticTagRule final : public RouterRule {
 public:
  void compile(const RuleScope& scope, Routers& out) const override {
    const auto& parameters = scope.consumer.parameters;
    const bool consumer_speaks_of_tags =
        parameters.contains(std::string(kTagKey)) || parameters.contains(std::string(kForceTagKey));
    const bool has_tagged_provider = std::ranges::any_of(
        scope.providers,
        [](const dubbo::Url& provider) { return !provider.parameter(kTagKey).empty(); });
    if (!consumer_speaks_of_tags && !has_tagged_provider) return;
    out.push_back(make_tag_router("tags of providers", {}, scope));
  }
};

}  // namespace

Result<RouterRulePtr> parse_tag_rule(const std::string& key, std::string_view yaml) {
  auto document = parse_tag_document(yaml);
  if (!document) return tl::unexpected(document.error());
  if (document->tags.empty()) return RouterRulePtr();
  return std::make_shared<const TagRule>(key, *std::move(document));
}

RouterRulePtr static_tag_rule() { return std::make_shared<const StaticTagRule>(); }

}  // namespace skiff::governance
