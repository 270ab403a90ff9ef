#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "dubbo/url.h"
#include "governance/configurators.h"
#include "governance/matching/address_match.h"
#include "governance/matching/text_match.h"

namespace skiff::governance {

// The value of a parameter of `url` as the target's own merged URL has it: `application` and `side`
// are the target's. nullopt where it is absent.
std::optional<std::string_view> target_parameter(const ConfiguratorTarget& target,
                                                 const dubbo::Url& url, std::string_view key);

// The ways in which rules name a provider: its host, its address, and its address with the port
// that it listens on itself.
std::vector<std::string> names_of_provider(const dubbo::Url& provider);

// `match` of a v3.0 rule: Dubbo's ConditionMatch; all that it names must hold.
class ConditionMatch {
 public:
  static ConditionMatch read(const YamlFields& fields);

  bool matches(const ConfiguratorTarget& target, const dubbo::Url& url) const;

 private:
  struct ParameterMatch {
    std::string key;
    TextMatch value;
  };

  std::optional<AddressMatch> address_;           // of the target
  std::optional<AddressMatch> provider_address_;  // of the URL
  std::optional<TextMatchList> service_;          // "group/interface:version"
  std::optional<TextMatchList> application_;
  std::vector<ParameterMatch> parameters_;
};

}  // namespace skiff::governance
