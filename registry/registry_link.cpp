#include "registry/registry_link.h"

#include <spdlog/spdlog.h>

#include <utility>

#include "registry/limits.h"
#include "registry/registry_identity.h"

namespace skiff::registry {

Result<std::unique_ptr<RegistryLink>> RegistryLink::open(const std::string& address,
                                                         const RegistryLinkContext& context) {
  Result<std::string> identity = registry_identity(address);
  if (!identity) return tl::unexpected<Error>(std::move(identity.error()));
  std::unique_ptr<RegistryLink> link(new RegistryLink(context));
  auto registry = context.open(address, context.executor, *link, context.options);
  if (!registry) return tl::unexpected<Error>(std::move(registry.error()));
  link->identity_ = std::move(*identity);
  link->registry_ = std::move(*registry);
  return link;
}

void RegistryLink::start() {
  registry_->start();
  context_.executor.post(alive_.guard([this] { find_address(); }));
}

void RegistryLink::write(const dubbo::Url& url) { write_once_stored(url, &Registry::register_url); }

void RegistryLink::write_successor(const dubbo::Url& url) {
  write_once_stored(url, &Registry::register_successor);
}

void RegistryLink::write_once_stored(const dubbo::Url& url,
                                     void (Registry::*register_as)(const dubbo::Url&)) {
  std::string text = url.to_string();
  unstored_.insert(text);
  context_.store.on_state_changed();
  context_.store.when_stored(alive_.guard([this, url, register_as, text = std::move(text)] {
    if (unstored_.erase(text) != 0) (*registry_.*register_as)(url);
  }));
}

void RegistryLink::take_back(const dubbo::Url& url) {
  unstored_.erase(url.to_string());
  registry_->unregister_url(url);
}

void RegistryLink::find_address() {
  const std::string server = registry_->server_address();
  if (server.empty() || context_.advertise.kind != AdvertiseSpec::Kind::kByRoute) {
    choose_address(std::nullopt);
    return;
  }
  const auto parsed = dubbo::parse_host_port(server);
  const std::string host =
      parsed && parsed->host != "localhost" ? parsed->host : std::string("127.0.0.1");
  if (const auto numeric = IpAddress::parse(host)) {
    choose_address(RegistryServer{*numeric, server});
    return;
  }
  context_.resolver.resolve(host, alive_.guard([this, server](const Result<IpAddress>& resolved) {
    if (resolved) {
      choose_address(RegistryServer{*resolved, server});
    } else {
      retry_address(resolved.error().message);
    }
  }));
}

void RegistryLink::choose_address(const std::optional<RegistryServer>& server) {
  auto chosen = choose_advertised_address(context_.advertise, context_.inbound_port, server,
                                          system_network());
  if (!chosen) {
    retry_address(chosen.error().message);
    return;
  }
  advertised_ = std::move(*chosen);
  spdlog::info("registry {}: advertising {} ({})", registry_->name(),
               dubbo::format_host_port(advertised_->host, advertised_->port), advertised_->reason);
  context_.events.on_link_changed(*this);
}

void RegistryLink::retry_address(const std::string& why) {
  if (std::exchange(why_no_address_, why) != why) {
    spdlog::warn("registry {}: {}; trying again every {} s", registry_->name(), why,
                 kAddressRetryDelay.count());
  }
  context_.executor.post_after(kAddressRetryDelay, alive_.guard([this] { find_address(); }));
}

std::string RegistryLink::obstacle() const {
  if (!connected_) return "registry " + registry_->name() + ": " + detail_;
  if (!advertised_) return "registry " + registry_->name() + ": " + why_no_address_;
  return {};
}

std::string RegistryLink::reason(const std::string& last_error, std::string_view missing) const {
  std::string sentence = "registry " + registry_->name();
  return last_error.empty() ? sentence.append(" ").append(missing)
                            : sentence.append(": ").append(last_error);
}

RegistryStatus RegistryLink::status() const {
  return {.name = registry_->name(),
          .connected = connected_,
          .detail = detail_,
          .advertised = advertised_.value_or(
              AdvertisedAddress{.host = {}, .port = 0, .reason = why_no_address_})};
}

void RegistryLink::on_connection(bool connected, const std::string& detail) {
  connected_ = connected;
  detail_ = detail;
  context_.events.on_link_changed(*this);
}

void RegistryLink::on_registered(const dubbo::Url& url) {
  context_.events.on_registered(*this, url);
}

void RegistryLink::on_register_failed(const dubbo::Url& url, const Error& error) {
  context_.events.on_register_failed(*this, url, error);
}

void RegistryLink::on_unregistered(const dubbo::Url& url) {
  context_.events.on_unregistered(*this, url);
}

void RegistryLink::on_unregister_failed(const dubbo::Url& url, const Error& error) {
  context_.events.on_unregister_failed(*this, url, error);
}

void RegistryLink::on_list_failed(const std::string& interface, const Error& error) {
  context_.events.on_list_failed(*this, interface, error);
}

void RegistryLink::on_providers(const std::string& interface,
                                const std::vector<dubbo::Url>& providers) {
  context_.events.on_providers(*this, interface, providers);
}

void RegistryLink::on_change_told(const std::string& interface,
                                  std::chrono::steady_clock::time_point at) {
  context_.events.on_change_told(interface, at);
}

void RegistryLink::on_rules(const RuleSubject& subject, const ReportedRules& reported) {
  context_.events.on_rules(*this, subject, reported);
}

void RegistryLink::on_rules_failed(const RuleSubject& subject, const Error& error) {
  context_.events.on_rules_failed(*this, subject, error);
}

void RegistryLink::on_deaf_watch_found(const std::string& /*interface*/) {
  context_.events.on_deaf_watch_found();
}

void RegistryLink::on_lost_node_found(const dubbo::Url& /*url*/) {
  context_.events.on_lost_node_found();
}

void RegistryLink::on_session_lost() { context_.events.on_session_lost(); }
void RegistryLink::on_application_fault(ApplicationFault fault) {
  context_.events.on_application_fault(fault);
}

}  // namespace skiff::registry
