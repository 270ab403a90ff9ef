#include <algorithm>
#include <utility>

#include "registry/directory.h"
#include "registry/limits.h"

// The rules that go with the lists.
namespace skiff::registry {

void Directory::tell_sink(const std::string& interface, Service& service) {
  dubbo::ConsumerIdentity consumer = consumers_of_(interface).identity;
  consumer.host = host_of(service);
  service.is_reported_hostless = consumer.host.empty();
  service.rules_revision = rules_.revision(interface);
  sink_.on_service(interface, urls_of(service.merged), rules_.rules(interface), consumer);
}

std::string Directory::host_of(const Service& service) {
  for (const Listing& listing : service.listings) {
    if (const auto& advertised = listing.link->advertised()) return advertised->host;
  }
  return {};
}

void Directory::read_rules(const std::string& interface, const Service& service,
                           const ListedProviders& providers) {
  std::vector<RegistryLink*> links;
  for (const Listing& listing : service.listings) links.push_back(listing.link);
  RuleNeeds read = rule_needs_of(interface, providers, consumers_of_(interface));
  if (read.are_more) {
    ++metrics_.rules_over_limits;
    log_.warn(interface + ": its providers have more versions, groups and applications than the " +
                  std::to_string(kMaxRuleSubjectsPerInterface) + " whose rules are looked for",
              executor_.now());
  }
  rules_.set_reader(interface, links, std::move(read.needs));
}

bool Directory::has_rules(const std::string& interface, const Service& service) {
  const bool is_remembered = std::ranges::none_of(
      service.listings, [](const Listing& listing) { return listing.providers.has_value(); });
  return is_remembered || rules_.await(interface);
}

void Directory::on_rules_changed(const std::string& interface, std::optional<Time> told_at) {
  const auto found = services_.find(interface);
  if (found == services_.end()) return;
  Service& service = found->second;
  const bool may_report = !is_frozen_ || !service.reported;
  if (service.awaits_rules && may_report) return report(interface, service);
  if (!service.reported) return;
  if (service.rules_revision == rules_.revision(interface) && !is_frozen_) return;
  if (!service.told_at) service.told_at = told_at;
  rebuild_soon(interface, service);
}

void Directory::on_consumers_changed(const std::string& interface, bool is_other_identity) {
  const auto found = services_.find(interface);
  if (found == services_.end()) return;
  Service& service = found->second;
  read_rules(interface, service, service.merged);
  if (is_other_identity) report_again(interface);
  if (service.reported && !is_frozen_) report(interface, service);
}

void Directory::on_address_known(const RegistryLink& link) {
  for (auto& [interface, service] : services_) {
    if (!service.reported || !service.is_reported_hostless || find(service, link) == nullptr) {
      continue;
    }
    service.is_reported_hostless = false;
    if (!rules_.rules(interface).empty()) tell_sink(interface, service);
  }
}

}  // namespace skiff::registry
