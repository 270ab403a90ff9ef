#pragma once

#include <string>
#include <string_view>

#include "governance/router.h"

namespace skiff::governance {

// Whom a document of a configuration centre is about, which its name says:
// "<interface>:<version>:<group>.condition-router" a service, both colons always there;
// "<application>.condition-router" all that an application calls, or provides.
class RuleKey {
 public:
  // `document`: the whole name; `suffix`: ".condition-router".
  RuleKey(std::string_view document, std::string_view suffix);

  bool is_service(const RuleScope& scope) const;
  bool is_consumer_application(const RuleScope& scope) const;
  // Of one of the providers at least. Dubbo reads the rules of the first provider's application;
  // which one is first is chance.
  bool is_provider_application(const RuleScope& scope) const;

 private:
  bool names_service_ = false;
  std::string name_;  // the interface, or the application
  std::string version_;
  std::string group_;
};

// Dubbo's consumers take over a provider's `application` under another name.
inline constexpr std::string_view kRemoteApplicationParameter = "remote.application";
// The application that provides `provider`; empty where its URL does not say.
std::string_view application_of(const dubbo::Url& provider);

}  // namespace skiff::governance
