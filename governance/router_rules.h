#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "dubbo/result.h"
#include "dubbo/url.h"
#include "governance/router.h"

// How each kind of router rule is read. All fail with kMalformed and a sentence that names line and
// field, with kUnsupported where a rule is of a kind that we refuse, with kTooLarge over a limit.
// Rules that are not enabled are none: null. `key` is the whole name of the document.
namespace skiff::governance {

using RouterRulePtr = std::shared_ptr<const RouterRule>;

// "<key>.condition-router": Dubbo 2.7, 3.0, and 3.1's with several destinations.
Result<RouterRulePtr> parse_condition_rule(const std::string& key, std::string_view yaml);
// condition://0.0.0.0/a.Demo?rule=..., as in /dubbo/<interface>/routers; a router of another kind
// (script://, file://) is refused with kUnsupported. It is for those who ask for its interface,
// group and version. `priority`: see sort_url_rules().
struct UrlRule {
  RouterRulePtr rule;
  int priority = 0;
};
Result<UrlRule> parse_router_url(const dubbo::Url& url);

// "<application>.script-router": refused with kUnsupported where it is enabled.
Result<RouterRulePtr> parse_script_rule(const std::string& key, std::string_view yaml);

// "<application>.tag-router"; concerns what this application provides.
Result<RouterRulePtr> parse_tag_rule(const std::string& key, std::string_view yaml);
// The tags in providers' URLs (`dubbo.tag`), which count also where no document speaks of them. It
// stands behind the tag rules: routers of both have one group(), so the first alone is applied. No
// router where neither a provider nor the consumer has a tag: it would have all requests read to
// their attachments, only to refuse those with dubbo.force.tag that nobody can be meant by.
RouterRulePtr static_tag_rule();

// "<application>.MESHAPPRULE": VirtualService and DestinationRule documents, separated by "---",
// for the providers of that application; null where there is not one of each. Its routers are one
// group.
Result<RouterRulePtr> parse_mesh_rule(const std::string& key, std::string_view yaml);

}  // namespace skiff::governance
