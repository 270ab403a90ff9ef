#include "registry/publications.h"

#include <algorithm>
#include <utility>

#include "registry/limits.h"
#include "registry/provider_url.h"
#include "registry/weight_steps.h"

namespace skiff::registry {

PublicationId PublicationId::of(const dubbo::Url& url) {
  constexpr std::uint64_t kMaxPort = 65535;
  return {url.service_key(),
          static_cast<std::uint16_t>(url.number_parameter(dubbo::kRealPortParameter, 0, kMaxPort))};
}

std::string PublicationId::subject() const {
  return std::string(kSubjects) + service.to_string() + " at port " + std::to_string(port);
}

Result<std::vector<std::string>> Publications::publish(const PublicationRequest& request,
                                                       const std::vector<RegistryLink*>& links,
                                                       const std::string& obstacle) {
  // A trial with any address: whatever is wrong is wrong before an address is known.
  auto trial =
      build_provider_url(request, stamps_.next({.host = "127.0.0.1", .port = 1, .reason = {}}));
  if (!trial) return tl::unexpected<Error>(std::move(trial.error()));

  const PublicationId id{request.service, request.port};
  const auto found = publications_.find(id);
  if (found == publications_.end() && publications_.size() >= kMaxPublications) {
    return fail(ErrorCode::kTooLarge, "this agent publishes " +
                                          std::to_string(publications_.size()) +
                                          " services, which is the limit");
  }
  if (found == publications_.end()) publications_[id].obstacle = obstacle;
  replace(publications_[id], request, links);
  return std::move(trial->warnings);
}

void Publications::set_obstacle(const PublicationId& id, const std::string& obstacle) {
  const auto found = publications_.find(id);
  if (found == publications_.end()) return;
  Publication& publication = found->second;
  publication.obstacle = obstacle;
  if (!obstacle.empty()) begin_anew(publication);
  for (Placement& placement : publication.placements) {
    if (obstacle.empty()) {
      if (!placement.url) write(publication, placement);
    } else {
      withdraw_placement(id.subject(), placement);
      RegistryLink* const link = placement.link;
      placement = Placement();
      placement.link = link;
    }
  }
}

// With a stamp, and a warm-up, of its own.
void Publications::begin_anew(Publication& publication) {
  publication.stamped.reset();
  publication.up_since.reset();
  publication.next_step_at.reset();
}

void Publications::replace(Publication& publication, const PublicationRequest& request,
                           const std::vector<RegistryLink*>& links) {
  const std::string subject = PublicationId{request.service, request.port}.subject();
  PublicationRequest wanted = request;
  wanted.registry = publication.request.registry;  // says where, not what
  wanted.check = publication.request.check;        // says when
  wanted.lease = publication.request.lease;        // says how long
  const bool changed = !(publication.request == wanted);
  publication.request = request;
  if (changed) begin_anew(publication);
  read_rules(publication, links);

  std::vector<Placement> placements;
  for (RegistryLink* link : links) {
    const auto old = std::find_if(publication.placements.begin(), publication.placements.end(),
                                  [&](const Placement& known) { return known.link == link; });
    Placement placement;
    placement.link = link;
    if (old != publication.placements.end()) {
      placement = std::move(*old);
      publication.placements.erase(old);
    }
    std::optional<dubbo::Url> before;
    if (changed) before = std::exchange(placement.url, std::nullopt);
    const bool may_be_there =
        std::exchange(placement.may_be_there, placement.may_be_there && !changed);
    if (changed) placement.registered = false;
    if (!placement.url) write(publication, placement);
    if (before && may_be_there) {
      placement.superseded.push_back(std::move(*before));
    } else if (before) {
      withdrawals_.withdraw(subject, *link, *before);
    }
    placements.push_back(std::move(placement));
  }
  // What is left are registries that this request does not name any more.
  for (Placement& left : publication.placements) withdraw_placement(subject, left);
  publication.placements = std::move(placements);
}

void Publications::write(Publication& publication, Placement& placement) {
  if (!publication.obstacle.empty() || !placement.link->advertised()) return;
  const PublicationRequest& request = publication.request;
  if (!rules_.await(PublicationId{request.service, request.port}.subject())) return;
  std::optional<dubbo::Url> url = inherited_url(publication, placement);
  const bool is_inherited = url.has_value();
  if (!is_inherited) {
    auto built = new_url(publication, *placement.link);
    if (!built) {  // a longer address than that of the trial may be what is too much
      placement.last_error = built.error().message;
      return;
    }
    url = url_at(*built, age_of(publication), warmup_steps_).url;
    if (placement.inherited) placement.superseded.push_back(std::move(*placement.inherited));
  }
  placement.inherited.reset();
  placement.last_error.clear();
  placement.url = std::move(url);
  placement.may_be_there = is_inherited;
  if (!publication.stamped) publication.stamped = placement.url;
  if (is_inherited) {
    placement.link->keep(*placement.url);
  } else {
    placement.link->write(*placement.url);
  }
}

// Where it is what would be written now, or was so at some age.
std::optional<dubbo::Url> Publications::inherited_url(const Publication& publication,
                                                      const Placement& placement) const {
  const PublicationRequest& request = publication.request;
  return stamps_.same_again(
      *placement.link->advertised(), placement.inherited,
      [this, &request](const UrlContext& context) {
        return build_provider_url(request, context).map([&](BuiltUrl&& built) {
          return BuiltUrl{governed(request, std::move(built.url)), {}};
        });
      },
      [](const dubbo::Url& inherited, const dubbo::Url& wanted) {
        return inherited == wanted || is_step_of(inherited, wanted);
      });
}

Result<dubbo::Url> Publications::new_url(const Publication& publication, const RegistryLink& link) {
  const PublicationRequest& request = publication.request;
  const auto url_of = [this, &request](BuiltUrl&& built) {
    return governed(request, std::move(built.url));
  };
  if (publication.stamped) {
    auto same = build_provider_url(request, stamps_.again(*link.advertised(), *publication.stamped))
                    .map(url_of);
    // Where it is on its way out of this registry, it must not be taken for its successor.
    if (!same || !withdrawals_.is_leaving(link, *same)) return same;
  }
  return build_provider_url(request, stamps_.next(*link.advertised())).map(url_of);
}

Result<void> Publications::restore(const SavedState::Publication& saved,
                                   const std::vector<RegistryLink*>& links,
                                   const std::string& obstacle) {
  auto trial = build_provider_url(saved.request,
                                  stamps_.next({.host = "127.0.0.1", .port = 1, .reason = {}}));
  if (!trial) return tl::unexpected<Error>(std::move(trial.error()));
  if (publications_.size() >= kMaxPublications) {
    return fail(ErrorCode::kTooLarge,
                "the limit is " + std::to_string(kMaxPublications) + " publications");
  }
  const PublicationId id{saved.request.service, saved.request.port};
  Publication& publication = publications_[id];
  publication = Publication();
  publication.request = saved.request;
  read_rules(publication, links);
  const dubbo::Url wanted = governed(saved.request, trial->url);
  for (RegistryLink* link : links) {
    Placement placement;
    placement.link = link;
    for (const SavedState::Written& written : saved.written) {
      if (written.registry != link->identity()) continue;
      auto url = dubbo::Url::parse(written.url);
      if (!url) continue;
      if (!publication.up_since) publication.up_since = up_since(*url, wanted);
      if (!placement.inherited) {
        placement.inherited = std::move(*url);
      } else {
        placement.superseded.push_back(std::move(*url));
      }
    }
    if (obstacle.empty()) write(publication, placement);
    publication.placements.push_back(std::move(placement));
  }
  if (!obstacle.empty()) set_obstacle(id, obstacle);
  return {};
}

std::vector<SavedState::Publication> Publications::saved() const {
  std::vector<SavedState::Publication> result;
  result.reserve(publications_.size());
  for (const auto& [id, publication] : publications_) {
    SavedState::Publication saved{.request = publication.request, .stopping = false, .written = {}};
    for (const Placement& placement : publication.placements) {
      const std::string& registry = placement.link->identity();
      for (const auto* url : {&placement.url, &placement.inherited}) {
        if (*url) saved.written.push_back({registry, (*url)->to_string()});
      }
      for (const dubbo::Url& url : placement.superseded) {
        saved.written.push_back({registry, url.to_string()});
      }
    }
    result.push_back(std::move(saved));
  }
  return result;
}

void Publications::withdraw_placement(const std::string& subject, Placement& placement) {
  if (placement.inherited) withdrawals_.withdraw(subject, *placement.link, *placement.inherited);
  if (placement.url) withdrawals_.withdraw(subject, *placement.link, *placement.url);
  for (const dubbo::Url& url : placement.superseded) {
    withdrawals_.withdraw(subject, *placement.link, url);
  }
}

void Publications::withdraw(const PublicationId& id) {
  const auto found = publications_.find(id);
  for (Placement& placement : found->second.placements) withdraw_placement(id.subject(), placement);
  stop_reading_rules(id);
  publications_.erase(found);
}

void Publications::withdraw_all() {
  while (!publications_.empty()) withdraw(publications_.begin()->first);
}

std::vector<PublicationId> Publications::ids() const {
  std::vector<PublicationId> ids;
  ids.reserve(publications_.size());
  for (const auto& [id, publication] : publications_) ids.push_back(id);
  return ids;
}

bool Publications::uses(const RegistryLink& link) const {
  return std::any_of(publications_.begin(), publications_.end(), [&link](const auto& entry) {
    const auto& placements = entry.second.placements;
    return std::any_of(placements.begin(), placements.end(),
                       [&link](const Placement& placement) { return placement.link == &link; });
  });
}

std::vector<std::uint16_t> Publications::ports_of(const dubbo::ServiceKey& service) const {
  std::vector<std::uint16_t> ports;
  for (auto entry = publications_.lower_bound({service, 0});
       entry != publications_.end() && entry->first.service == service; ++entry) {
    ports.push_back(entry->first.port);
  }
  return ports;
}

std::string Publications::reason(const Publication& publication, const Placement& placement) {
  if (!publication.obstacle.empty()) return publication.obstacle;
  if (std::string obstacle = placement.link->obstacle(); !obstacle.empty()) return obstacle;
  if (placement.registered) return {};
  return placement.link->reason(placement.last_error, "has not confirmed it yet");
}

VerbOutcome Publications::outcome(const PublicationId& id) const {
  VerbOutcome outcome;
  const auto found = publications_.find(id);
  if (found == publications_.end()) {
    outcome.reason = "withdrawn by a later request";
    return outcome;
  }
  outcome.state = VerbState::kRegistered;
  for (const Placement& placement : found->second.placements) {
    const auto& url = placement.url ? placement.url : placement.inherited;
    if (outcome.url.empty() && url) outcome.url = url->to_string();
    const std::string why = reason(found->second, placement);
    if (why.empty()) continue;
    outcome.state = VerbState::kPending;
    if (outcome.reason.empty()) outcome.reason = why;
  }
  return outcome;
}

std::vector<PublicationStatus> Publications::status() const {
  std::vector<PublicationStatus> result;
  for (const auto& [id, publication] : publications_) {
    for (const Placement& placement : publication.placements) {
      const auto& url = placement.url ? placement.url : placement.inherited;
      result.push_back({.service = id.service,
                        .port = id.port,
                        .registry = placement.link->registry().name(),
                        .url = url ? url->to_string() : std::string(),
                        .registered = placement.registered,
                        .reason = reason(publication, placement),
                        .warming_up = warming_up(publication, placement),
                        .lease = publication.request.lease});
    }
  }
  return result;
}

std::vector<PublicationId> Publications::on_link_changed(RegistryLink& link) {
  std::vector<PublicationId> concerned;
  for (auto& [id, publication] : publications_) {
    for (Placement& placement : publication.placements) {
      if (placement.link != &link) continue;
      if (!placement.url) write(publication, placement);
      concerned.push_back(id);
    }
    step(id, publication);
  }
  return concerned;
}

void Publications::on_registered(RegistryLink& link, const dubbo::Url& url) {
  Placement* placement = find(link, url);
  if (placement == nullptr) return;
  placement->registered = true;
  placement->may_be_there = true;
  placement->last_error.clear();
  const PublicationId id = PublicationId::of(url);
  for (const dubbo::Url& superseded : std::exchange(placement->superseded, {})) {
    withdrawals_.withdraw(id.subject(), link, superseded);
  }
  Publication& publication = publications_.at(id);
  if (!publication.up_since) publication.up_since = executor_.now();
  step(id, publication);
}

void Publications::on_register_failed(RegistryLink& link, const dubbo::Url& url,
                                      const Error& error) {
  Placement* placement = find(link, url);
  if (placement == nullptr) return;
  placement->registered = false;
  placement->last_error = error.message;
}

Publications::Placement* Publications::find(const RegistryLink& link, const dubbo::Url& url) {
  const auto found = publications_.find(PublicationId::of(url));
  if (found == publications_.end()) return nullptr;
  for (Placement& placement : found->second.placements) {
    if (placement.link == &link && placement.url == url) return &placement;
  }
  return nullptr;
}

}  // namespace skiff::registry
