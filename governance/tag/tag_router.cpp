#include "governance/tag/tag_router.h"

#include <algorithm>
#include <cctype>
#include <utility>

namespace skiff::governance {
namespace {

// The providers of each tag, sorted by name.
class TagSets {
 public:
  struct Tag {
    std::string name;
    std::string detail;  // for people
    ProviderSet providers;
  };

  // A set for `name`, which is empty where there was none.
  ProviderSet& of(std::string_view name, std::size_t size) {
    const auto at = std::ranges::lower_bound(tags_, name, {}, &Tag::name);
    if (at != tags_.end() && at->name == name) return at->providers;
    return tags_
        .insert(at, {.name = std::string(name),
                     .detail = "tag " + std::string(name),
                     .providers = ProviderSet::none(size)})
        ->providers;
  }
  const Tag* find(std::string_view name) const {
    const auto at = std::ranges::lower_bound(tags_, name, {}, &Tag::name);
    return at != tags_.end() && at->name == name ? &*at : nullptr;
  }
  void remove_from(ProviderSet& set) const {
    for (const Tag& tag : tags_) set -= tag.providers;
  }

 private:
  std::vector<Tag> tags_;
};

bool matches_all(const DynamicTag& tag, const dubbo::Url& provider) {
  return std::ranges::all_of(tag.match, [&provider](const auto& wanted) {
    const auto found = provider.parameters.find(wanted.first);
    return wanted.second.matches(found == provider.parameters.end()
                                     ? std::nullopt
                                     : std::optional<std::string_view>(found->second));
  });
}

TagSets dynamic_sets(const TagDocument& document, const RuleScope& scope) {
  TagSets sets;
  const ProviderAddresses addresses(scope.providers);
  const std::size_t size = scope.providers.size();
  // Of two tags of one name the last counts, and one that matches parameters counts more.
  for (const DynamicTag& tag : document.tags) {
    if (!tag.has_addresses) continue;
    ProviderSet& set = sets.of(tag.name, size);
    set = ProviderSet::none(size);
    tag.addresses.add_named(addresses, set);
  }
  for (const DynamicTag& tag : document.tags) {
    if (tag.has_addresses || tag.match.empty()) continue;
    ProviderSet matched = ProviderSet::none(size);
    for (std::size_t i = 0; i < size; ++i) {
      if (matches_all(tag, scope.providers[i])) matched.add(i);
    }
    if (!matched.empty()) sets.of(tag.name, size) = std::move(matched);
  }
  return sets;
}

TagSets static_sets(const RuleScope& scope) {
  TagSets sets;
  for (std::size_t i = 0; i < scope.providers.size(); ++i) {
    const std::string_view tag = scope.providers[i].parameter(kTagKey);
    if (!tag.empty()) sets.of(tag, scope.providers.size()).add(i);
  }
  return sets;
}

std::string parameter_of(const dubbo::ConsumerIdentity& consumer, std::string_view key) {
  const auto found = consumer.parameters.find(std::string(key));
  return found == consumer.parameters.end() ? std::string() : found->second;
}

bool is_true(std::string_view text) {
  return std::ranges::equal(text, std::string_view("true"),
                            [](unsigned char a, char b) { return std::tolower(a) == b; });
}

class TagRouter final : public Router {
 public:
  TagRouter(std::string name, const TagDocument& document, const RuleScope& scope)
      : name_(std::move(name)),
        force_(document.force),
        consumer_tag_(parameter_of(scope.consumer, kTagKey)),
        consumer_forces_(is_true(parameter_of(scope.consumer, kForceTagKey))),
        dynamic_(dynamic_sets(document, scope)),
        static_(static_sets(scope)),
        untagged_(ProviderSet::all(scope.providers.size())) {
    dynamic_.remove_from(untagged_);
    static_.remove_from(untagged_);
  }

  const std::string& name() const override { return name_; }
  bool concerns(std::string_view /*method*/) const override { return true; }
  bool reads_more_than_method() const override { return true; }
  std::uint32_t group() const override { return kTagGroup; }

  Result apply(const RequestView& request, Draw& /*draw*/, ProviderSet& providers) const override {
    const std::string_view tag = attachment_or(request, kTagKey, consumer_tag_);
    if (tag.empty()) return narrow(providers, untagged_, "providers without a tag");
    const bool insists =
        is_true(attachment_or(request, kForceTagKey, consumer_forces_ ? "true" : "false"));
    if (const TagSets::Tag* group = find_dynamic(tag, insists)) {
      if (group->providers.intersects(providers) || force_) {
        return narrow(providers, group->providers, group->detail);
      }
    } else if (const TagSets::Tag* own = static_.find(tag)) {
      if (own->providers.intersects(providers)) {
        return narrow(providers, own->providers, own->detail);
      }
    }
    if (insists) return {.outcome = Outcome::kRefused, .detail = "the request insists on its tag"};
    return narrow(providers, untagged_, "no provider has its tag, those without a tag");
  }

 private:
  static std::string_view attachment_or(const RequestView& request, std::string_view key,
                                        std::string_view fallback) {
    const auto value = request.attachment(key);
    return value && !value->empty() ? *value : fallback;
  }

  static Result narrow(ProviderSet& providers, const ProviderSet& wanted, std::string_view detail) {
    if (!providers.intersects(wanted)) return {.outcome = Outcome::kRefused, .detail = detail};
    providers &= wanted;
    return {.outcome = Outcome::kNarrowed, .detail = detail};
  }

  const TagSets::Tag* find_dynamic(std::string_view tag, bool insists) const {
    while (true) {
      const TagSets::Tag* found = dynamic_.find(tag);
      const auto separator = tag.rfind('|');
      if (found != nullptr || insists || separator == std::string_view::npos) return found;
      tag = tag.substr(0, separator);
    }
  }

  std::string name_;
  bool force_;
  std::string consumer_tag_;
  bool consumer_forces_;
  TagSets dynamic_;
  TagSets static_;
  ProviderSet untagged_;
};

}  // namespace

std::shared_ptr<const Router> make_tag_router(std::string name, const TagDocument& document,
                                              const RuleScope& scope) {
  return std::make_shared<TagRouter>(std::move(name), document, scope);
}

}  // namespace skiff::governance
