#include "registry/rule_needs.h"

#include <map>
#include <set>
#include <string_view>
#include <utility>

#include "registry/limits.h"

namespace skiff::registry {
namespace {

constexpr auto kOfService =
    static_cast<std::uint8_t>(kConfigurators | kConditionRouter | kScriptRouter);
constexpr std::uint8_t kOfConsumer = kOfService;
constexpr auto kOfProvider =
    static_cast<std::uint8_t>(kTagRouter | kConditionRouter | kMeshAppRule);

bool is_pattern(const dubbo::ServiceKey& service) {
  return service.version == "*" || service.group == "*" ||
         service.group.find(',') != std::string::npos;
}

}  // namespace

RuleNeeds rule_needs_of(const std::string& interface, const ListedProviders& providers,
                        const InterfaceConsumers& consumers) {
  std::set<std::pair<std::string_view, std::string_view>> services;  // version, group
  std::map<std::string_view, std::uint8_t> applications;
  for (const dubbo::ServiceKey& service : consumers.services) {
    if (!is_pattern(service)) services.emplace(service.version, service.group);
  }
  for (const std::string& application : consumers.applications) {
    applications[application] |= kOfConsumer;
  }
  for (const ListedProvider& provider : providers) {
    services.emplace(dubbo::normalized_version(provider.parameter("version")),
                     provider.parameter("group"));
    applications[provider.parameter("application")] |= kOfProvider;
  }
  applications.erase("");

  RuleNeeds result;
  result.needs.push_back({RuleSubject::urls_of(interface), kNoDocuments});
  const auto add = [&result](RuleSubject subject, std::uint8_t documents) {
    result.are_more = result.needs.size() >= kMaxRuleSubjectsPerInterface;
    if (!result.are_more) result.needs.push_back({std::move(subject), documents});
  };
  for (const auto& [version, group] : services) {
    add(RuleSubject::documents_of(interface, version, group), kOfService);
  }
  for (const auto& [application, documents] : applications) {
    add(RuleSubject::documents_of(std::string(application)), documents);
  }
  return result;
}

std::vector<RuleNeed> rule_needs_of_provider(const dubbo::ServiceKey& service,
                                             const std::string& application) {
  std::vector<RuleNeed> needs = {
      {RuleSubject::urls_of(service.interface), kNoDocuments},
      {RuleSubject::documents_of(service.interface, service.version, service.group),
       kConfigurators}};
  if (!application.empty()) {
    needs.push_back({RuleSubject::documents_of(application), kConfigurators});
  }
  return needs;
}

}  // namespace skiff::registry
