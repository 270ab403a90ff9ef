#include "governance/rule_set.h"

#include <algorithm>
#include <utility>

#include "dubbo/url.h"

namespace skiff::governance {
namespace {

constexpr std::string_view kConfigurators = ".configurators";
constexpr std::string_view kConditionRouter = ".condition-router";
constexpr std::string_view kTagRouter = ".tag-router";
constexpr std::string_view kMeshRule = ".MESHAPPRULE";

// "a.Demo:1.0.0:g": the owner of a service's documents.
std::string document_owner(const dubbo::ServiceKey& service) {
  return service.interface + ":" + service.version + ":" + service.group;
}

Result<void> read_text(ReadRule& rule) {
  const auto into_router = [&rule](Result<RouterRulePtr> read) -> Result<void> {
    if (!read) return tl::unexpected<Error>(std::move(read.error()));
    rule.router = std::move(*read);
    return {};
  };
  if (rule.name.ends_with(kConfigurators)) {
    auto read = parse_configurators(rule.name, rule.text);
    if (!read) return tl::unexpected<Error>(std::move(read.error()));
    rule.configurators = std::move(*read);
    return {};
  }
  if (rule.name.ends_with(kConditionRouter)) {
    return into_router(parse_condition_rule(rule.name, rule.text));
  }
  if (rule.name.ends_with(kTagRouter)) return into_router(parse_tag_rule(rule.name, rule.text));
  if (rule.name.ends_with(kMeshRule)) return into_router(parse_mesh_rule(rule.name, rule.text));
  return into_router(parse_script_rule(rule.name, rule.text));
}

Result<void> read_url_rule(ReadRule& rule) {
  auto url = dubbo::Url::parse(rule.name);
  if (!url) return tl::unexpected<Error>(std::move(url.error()));
  if (url->protocol == "empty") return {};
  if (url->protocol == "override" || url->protocol == "absent") {
    auto read = parse_configurator_url(*url);
    if (!read) return tl::unexpected<Error>(std::move(read.error()));
    rule.configurators = std::move(*read);
    return {};
  }
  auto read = parse_router_url(*url);
  if (!read) return tl::unexpected<Error>(std::move(read.error()));
  rule.router = std::move(read->rule);
  rule.priority = read->priority;
  return {};
}

void append(const ReadRule* rule, Configurators& out) {
  if (rule == nullptr) return;
  out.insert(out.end(), rule->configurators.begin(), rule->configurators.end());
}

void append(const ReadRule* rule, std::vector<RouterRulePtr>& out) {
  if (rule != nullptr && rule->router) out.push_back(rule->router);
}

}  // namespace

const ReadRule* RuleSet::find(const std::string& owner, std::string_view suffix) const {
  const auto found = documents_.find(owner + std::string(suffix));
  return found == documents_.end() ? nullptr : found->second.get();
}

Configurators RuleSet::configurators(const dubbo::ServiceKey& service,
                                     const std::string& application) const {
  Configurators all;
  for (const ReadRulePtr& url : urls_) append(url.get(), all);
  sort_configurators(all);
  append(find(application, kConfigurators), all);
  append(find(document_owner(service), kConfigurators), all);
  return all;
}

std::vector<RouterRulePtr> RuleSet::routers(
    const dubbo::ServiceKey& service, const std::string& application,
    const std::vector<std::string>& provider_applications) const {
  std::vector<RouterRulePtr> all;
  for (const std::string& owner : provider_applications) append(find(owner, kMeshRule), all);
  for (const std::string& owner : provider_applications) append(find(owner, kTagRouter), all);
  all.push_back(static_tag_rule());  // for requests that none of those concerns
  append(find(document_owner(service), kConditionRouter), all);
  for (const std::string& owner : provider_applications) {
    append(find(owner, kConditionRouter), all);
  }
  const bool is_done =
      std::ranges::find(provider_applications, application) != provider_applications.end();
  if (!is_done) append(find(application, kConditionRouter), all);
  std::vector<const ReadRule*> urls;
  for (const ReadRulePtr& url : urls_) urls.push_back(url.get());
  std::ranges::stable_sort(urls, std::greater<>(), &ReadRule::priority);
  for (const ReadRule* url : urls) append(url, all);
  return all;
}

std::vector<std::string> RuleSet::problems() const {
  std::vector<std::string> sentences;
  const auto look_at = [&sentences](const ReadRule& rule) {
    if (!rule.problem.empty()) sentences.push_back(rule.name + ": " + rule.problem);
  };
  for (const auto& [key, rule] : documents_) look_at(*rule);
  for (const ReadRulePtr& rule : urls_) look_at(*rule);
  return sentences;
}

RuleSet RuleReader::read(const dubbo::RuleTexts& texts) {
  std::map<std::string, ReadRulePtr, std::less<>> documents;
  for (const auto& [key, text] : texts.documents) documents[key] = read_document(key, text);
  std::vector<ReadRulePtr> urls;
  for (const std::string& url : texts.urls) urls.push_back(read_url(url));
  forget_unused();
  return {std::move(documents), std::move(urls)};
}

ReadRulePtr RuleReader::known(const std::string& name) const {
  const auto found = known_.find(name);
  return found == known_.end() ? nullptr : found->second.lock();
}

ReadRulePtr RuleReader::read_document(const std::string& key, const std::string& text) {
  ReadRulePtr before = known(key);
  if (before && before->text == text) return before;
  auto rule = std::make_shared<ReadRule>(ReadRule{.name = key, .text = text});
  if (auto read = read_text(*rule); !read) {
    rule->problem = read.error().message;
    if (before) {
      rule->configurators = before->configurators;
      rule->router = before->router;
    }
  }
  known_[key] = rule;
  return rule;
}

ReadRulePtr RuleReader::read_url(const std::string& text) {
  if (ReadRulePtr before = known(text)) return before;
  auto rule = std::make_shared<ReadRule>(ReadRule{.name = text, .text = {}});
  if (auto read = read_url_rule(*rule); !read) rule->problem = read.error().message;
  known_[text] = rule;
  return rule;
}

void RuleReader::forget_unused() {
  if (known_.size() < forget_at_) return;
  std::erase_if(known_, [](const auto& entry) { return entry.second.expired(); });
  forget_at_ = std::max<std::size_t>(2 * known_.size(), 1024);
}

}  // namespace skiff::governance
