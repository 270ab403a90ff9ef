#include <spdlog/spdlog.h>

#include <utility>

#include "registry/limits.h"
#include "registry/publications.h"
#include "registry/rule_needs.h"

// What governance rules make of publications.
namespace skiff::registry {

void Publications::read_rules(const Publication& publication,
                              const std::vector<RegistryLink*>& links) {
  const PublicationRequest& request = publication.request;
  const PublicationId id{request.service, request.port};
  const std::string& application =
      request.application.empty() ? stamps_.application() : request.application;
  rule_readers_.emplace(id.subject(), id);
  rules_.set_reader(id.subject(), links, rule_needs_of_provider(request.service, application));
}

void Publications::stop_reading_rules(const PublicationId& id) {
  rule_readers_.erase(id.subject());
  rules_.drop_reader(id.subject());
}

// Rules may say anything of a provider but who and where it is.
dubbo::Url Publications::governed(const PublicationRequest& request, dubbo::Url url) const {
  const PublicationId id{request.service, request.port};
  const dubbo::RuleTexts rules = rules_.rules(id.subject());
  dubbo::Url result = govern_(url, rules);
  const bool is_the_same = PublicationId::of(result) == id && result.protocol == url.protocol &&
                           result.address() == url.address() &&
                           result.parameter("timestamp") == url.parameter("timestamp");
  if (is_the_same && result.to_string().size() <= kMaxRegisteredUrlBytes) return result;
  spdlog::error("{}: its rules are not applied: they would make it another provider, {}",
                id.subject(), result.to_string().substr(0, kMaxNameBytes));
  return url;
}

bool Publications::on_rules_changed(const std::string& reader) {
  const auto known = rule_readers_.find(reader);
  if (known == rule_readers_.end()) return false;
  const PublicationId id = known->second;
  Publication& publication = publications_.at(id);
  for (Placement& placement : publication.placements) {
    if (!placement.url) write(publication, placement);
  }
  step(id, publication);
  return true;
}

}  // namespace skiff::registry
