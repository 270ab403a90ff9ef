#include "registry/registry_links.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "registry/limits.h"
#include "registry/registry_identity.h"

namespace skiff::registry {

Result<void> RegistryLinks::open_configured(const std::vector<std::string>& addresses) {
  any_configured_ = !addresses.empty();
  const std::vector<std::string> embedded = {"memory"};
  for (const std::string& address : any_configured_ ? addresses : embedded) {
    auto link = RegistryLink::open(address, context_);
    if (!link) return tl::unexpected<Error>(std::move(link.error()));
    if (find((*link)->identity()) != nullptr) {
      return fail(ErrorCode::kInvalidArgument,
                  "registry " + (*link)->registry().name() + " is configured twice");
    }
    links_.push_back({std::move(*link), false});
  }
  return {};
}

void RegistryLinks::take_up(const std::vector<SavedState::Session>& sessions) {
  for (const SavedState::Session& session : sessions) {
    if (RegistryLink* open = find(session.registry)) {
      open->registry().take_up(session.ticket);
    } else {
      tickets_[session.registry] = session.ticket;
    }
  }
}

void RegistryLinks::start() {
  started_ = true;
  for (const OpenLink& open : links_) open.link->start();
}

Result<std::vector<RegistryLink*>> RegistryLinks::choose(const std::optional<RegistryName>& name) {
  if (!name) {
    std::vector<RegistryLink*> configured;
    for (const OpenLink& open : links_) {
      if (!open.on_request) configured.push_back(open.link.get());
    }
    return configured;
  }
  Result<std::string> identity = registry_identity(*name);
  if (!identity) return tl::unexpected<Error>(std::move(identity.error()));
  if (RegistryLink* known = find(*identity)) return std::vector{known};
  if (any_configured_) return not_configured(*name);
  if (opened_on_request() >= kMaxRegistriesOnRequest) {
    return fail(ErrorCode::kTooLarge,
                "requests have opened " + std::to_string(opened_on_request()) +
                    " registries, which is the limit; name them in the configuration instead "
                    "(key \"registry\")");
  }
  auto link = RegistryLink::open(*name, context_);
  if (!link) return tl::unexpected<Error>(std::move(link.error()));
  spdlog::info("registry {}: opened, because a request names it", (*link)->registry().name());
  links_.push_back({std::move(*link), true});
  if (auto ticket = tickets_.extract(*identity)) {
    links_.back().link->registry().take_up(ticket.mapped());
  }
  if (started_) links_.back().link->start();
  return std::vector{links_.back().link.get()};
}

std::vector<RegistryLink*> RegistryLinks::all() const {
  std::vector<RegistryLink*> result;
  for (const OpenLink& open : links_) result.push_back(open.link.get());
  return result;
}

void RegistryLinks::close_unused(const std::function<bool(const RegistryLink&)>& is_used) {
  std::erase_if(links_, [&](const OpenLink& open) {
    if (!open.on_request || is_used(*open.link)) return false;
    spdlog::info("registry {}: closed, because nothing uses it any more",
                 open.link->registry().name());
    return true;
  });
}

RegistryLink* RegistryLinks::find(const std::string& identity) const {
  const auto found = std::find_if(links_.begin(), links_.end(), [&](const OpenLink& open) {
    return open.link->identity() == identity;
  });
  return found == links_.end() ? nullptr : found->link.get();
}

std::vector<SavedState::Session> RegistryLinks::saved() const {
  std::vector<SavedState::Session> result;
  for (const OpenLink& open : links_) {
    std::string ticket = open.link->registry().session_ticket();
    if (!ticket.empty()) result.push_back({open.link->identity(), std::move(ticket)});
  }
  return result;
}

std::size_t RegistryLinks::opened_on_request() const {
  return static_cast<std::size_t>(std::count_if(
      links_.begin(), links_.end(), [](const OpenLink& open) { return open.on_request; }));
}

tl::unexpected<Error> RegistryLinks::not_configured(const RegistryName& name) const {
  std::string configured;
  for (const OpenLink& open : links_) {
    configured += (configured.empty() ? "" : ", ") + open.link->registry().name();
  }
  return fail(ErrorCode::kInvalidArgument,
              "registry \"" + registry_identity(name).value_or("") +
                  "\" is not one that this agent is configured to use (" + configured +
                  "); add it under the configuration key \"registry\", or leave it out of the "
                  "request");
}

}  // namespace skiff::registry
