#include <spdlog/spdlog.h>

#include "registry/control_plane_impl.h"

// What the control plane is told: by registries, by the checks of local providers, by time.
namespace skiff::registry {

void ControlPlaneImpl::on_link_changed(RegistryLink& link) {
  if (stopping_) return;
  if (link.advertised()) directory_.on_address_known(link);
  directory_.on_link_changed(link);
  subscriptions_.on_link_changed(link);
  for (const PublicationId& id : publications_.on_link_changed(link)) {
    waiters_.check(id.subject());
  }
  store_.on_state_changed();  // the session may be another one
}

void ControlPlaneImpl::on_registered(RegistryLink& link, const dubbo::Url& url) {
  publications_.on_registered(link, url);
  waiters_.check(PublicationId::of(url).subject());
}

void ControlPlaneImpl::on_register_failed(RegistryLink& link, const dubbo::Url& url,
                                          const Error& error) {
  publications_.on_register_failed(link, url, error);
}

void ControlPlaneImpl::on_unregistered(RegistryLink& link, const dubbo::Url& url) {
  const auto subject = withdrawals_.on_unregistered(link, url);
  if (!subject) return;
  store_.on_state_changed();
  waiters_.check(*subject);
  waiters_.check(kAllPublications);
  waiters_.check(kEverything);
  const PublicationId id = PublicationId::of(url);
  if (!stopping_ && !publications_.contains(id) && !withdrawals_.is_leaving(*subject)) {
    local_services_.withdraw(id);
  }
  close_unused_links_later();
}

void ControlPlaneImpl::on_unregister_failed(RegistryLink& link, const dubbo::Url& url,
                                            const Error& error) {
  withdrawals_.on_unregister_failed(link, url, error);
}

void ControlPlaneImpl::on_list_failed(RegistryLink& link, const std::string& interface,
                                      const Error& error) {
  directory_.note_failure(link, interface, error.message);
}

void ControlPlaneImpl::on_providers(RegistryLink& link, const std::string& interface,
                                    const std::vector<dubbo::Url>& providers) {
  directory_.set_providers(link, interface, providers);
  waiters_.check(list_subject(interface));
}

// A list or a publication may have waited for them.
void ControlPlaneImpl::on_rules_changed(
    const std::string& reader, std::optional<std::chrono::steady_clock::time_point> told_at) {
  if (publications_.on_rules_changed(reader)) {
    waiters_.check(reader);  // its subject()
    return;
  }
  directory_.on_rules_changed(reader, told_at);
  waiters_.check(list_subject(reader));
}

// What comes in finds its way before consumers hear of it.
void ControlPlaneImpl::on_gate_changed(const PublicationId& id) {
  local_services_.set_down(id, gates_.why_down(id));
  if (!gates_.is_to_leave(id)) local_services_.set_leaving(id, false);
  publications_.set_obstacle(id, gates_.obstacle(id, {}));
  store_.on_state_changed();
  waiters_.check(id.subject());
}

void ControlPlaneImpl::on_lease_ended(const PublicationId& id) {
  if (!publications_.contains(id)) return;
  spdlog::warn("{}: its lease was not renewed: it is withdrawn", id.subject());
  ++leases_ended_;
  withdraw(id);
}

// Later, because a link must not go while one of its own events is being handled.
void ControlPlaneImpl::close_unused_links_later() {
  executor_.post(alive_.guard([this] {
    links_.close_unused([this](const RegistryLink& link) {
      return publications_.uses(link) || subscriptions_.uses(link) || directory_.uses(link) ||
             withdrawals_.uses(link);
    });
  }));
}

}  // namespace skiff::registry
