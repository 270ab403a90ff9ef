#include "governance/rule_key.h"

#include <algorithm>

#include "dubbo/service_key.h"

namespace skiff::governance {

RuleKey::RuleKey(std::string_view document, std::string_view suffix) {
  if (document.ends_with(suffix)) document.remove_suffix(suffix.size());
  const auto first = document.find(':');
  const auto second = first == std::string_view::npos ? first : document.find(':', first + 1);
  name_ = document.substr(0, first);
  if (second == std::string_view::npos) {
    name_ = document;
    return;
  }
  names_service_ = true;
  version_ = dubbo::normalized_version(document.substr(first + 1, second - first - 1));
  group_ = document.substr(second + 1);
}

bool RuleKey::is_service(const RuleScope& scope) const {
  return names_service_ && name_ == scope.interface && version_ == scope.version &&
         group_ == scope.group;
}

bool RuleKey::is_consumer_application(const RuleScope& scope) const {
  return !names_service_ && !name_.empty() && name_ == scope.consumer.application;
}

bool RuleKey::is_provider_application(const RuleScope& scope) const {
  return !names_service_ && !name_.empty() &&
         std::ranges::any_of(scope.providers, [this](const dubbo::Url& provider) {
           return application_of(provider) == name_;
         });
}

std::string_view application_of(const dubbo::Url& provider) {
  return provider.parameter(kRemoteApplicationParameter, provider.parameter("application"));
}

}  // namespace skiff::governance
