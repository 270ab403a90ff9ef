#include <algorithm>
#include <utility>

#include "registry/limits.h"
#include "registry/provider_url.h"
#include "registry/publications.h"
#include "registry/warmup.h"
#include "registry/weight_steps.h"

// The weight of publications in steps, and other URLs that follow one another.
namespace skiff::registry {

using std::chrono::milliseconds;

// When a provider came up that an earlier process has left with the URL `inherited`.
Publications::TimePoint Publications::up_since(const dubbo::Url& inherited,
                                               const dubbo::Url& wanted) const {
  if (!is_weight_step(inherited)) return executor_.now() - kWarmupMax;
  // However the number of steps was changed: a weight that was reached is not taken back.
  const milliseconds reached = age_of_step(inherited, wanted, warmup_steps_);
  return executor_.now() - std::max(UrlStamps::age_of(inherited), reached);
}

milliseconds Publications::age_of(const Publication& publication) const {
  if (!publication.up_since) return milliseconds(0);
  return std::chrono::duration_cast<milliseconds>(executor_.now() - *publication.up_since);
}

void Publications::step(const PublicationId& id, Publication& publication) {
  std::optional<milliseconds> next_at;
  for (Placement& placement : publication.placements) {
    if (!placement.url) continue;
    if (const auto next = step_placement(publication, placement)) next_at = next;
  }
  if (next_at) step_later(id, publication, *next_at);
}

std::optional<milliseconds> Publications::step_placement(const Publication& publication,
                                                         Placement& placement) {
  const std::optional<dubbo::Url> wanted = wanted_url(publication, placement);
  if (!wanted) return std::nullopt;
  SteppedUrl due = url_at(*wanted, age_of(publication), warmup_steps_);
  const bool may_step =
      placement.registered && placement.superseded.empty() && placement.link->is_connected();
  if (due.url != *placement.url && may_step) {
    placement.superseded.push_back(std::move(*placement.url));
    placement.url = std::move(due.url);
    placement.link->write_successor(*placement.url);
  }
  return due.next_at;
}

void Publications::step_later(const PublicationId& id, Publication& publication,
                              milliseconds next_at) {
  if (publication.next_step_at || !publication.up_since) return;
  const milliseconds wait = std::max(next_at - age_of(publication), milliseconds(0));
  std::uniform_int_distribution<milliseconds::rep> jitter(0,
                                                          wait.count() / kWeightStepJitterDivisor);
  const TimePoint when = executor_.now() + wait + milliseconds(jitter(random_));
  publication.next_step_at = when;
  executor_.post_after(std::chrono::ceil<milliseconds>(when - executor_.now()),
                       alive_.guard([this, id, when] {
                         const auto found = publications_.find(id);
                         if (found == publications_.end()) return;
                         if (found->second.next_step_at != when) return;
                         found->second.next_step_at.reset();
                         step(id, found->second);
                       }));
}

std::optional<dubbo::Url> Publications::wanted_url(const Publication& publication,
                                                   const Placement& placement) const {
  auto built = build_provider_url(publication.request,
                                  stamps_.again(*placement.link->advertised(), *placement.url));
  if (!built) return std::nullopt;
  return governed(publication.request, std::move(built->url));
}

std::string Publications::warming_up(const Publication& publication,
                                     const Placement& placement) const {
  if (!placement.url || !is_weight_step(*placement.url)) return {};
  const auto wanted = wanted_url(publication, placement);
  return wanted ? describe_step(*placement.url, *wanted) : std::string();
}

}  // namespace skiff::registry
