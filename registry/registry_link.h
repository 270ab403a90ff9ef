#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "registry/advertise_address.h"
#include "registry/alive.h"
#include "registry/control_plane.h"
#include "registry/host_resolver.h"
#include "registry/registry.h"
#include "registry/state_store.h"

namespace skiff::registry {

class RegistryLink;

// What a link tells the control plane; on the control thread, never from inside a call to the link.
class RegistryLinkEvents {
 public:
  virtual ~RegistryLinkEvents() = default;
  // The connection came or went, or the advertised address became known.
  virtual void on_link_changed(RegistryLink& link) = 0;
  virtual void on_registered(RegistryLink& link, const dubbo::Url& url) = 0;
  virtual void on_register_failed(RegistryLink& link, const dubbo::Url& url,
                                  const Error& error) = 0;
  virtual void on_unregistered(RegistryLink& link, const dubbo::Url& url) = 0;
  virtual void on_unregister_failed(RegistryLink& /*link*/, const dubbo::Url& /*url*/,
                                    const Error& /*error*/) {}
  virtual void on_providers(RegistryLink& link, const std::string& interface,
                            const std::vector<dubbo::Url>& providers) = 0;
  virtual void on_list_failed(RegistryLink& /*link*/, const std::string& /*interface*/,
                              const Error& /*error*/) {}
  virtual void on_rules(RegistryLink& /*link*/, const RuleSubject& /*subject*/,
                        const ReportedRules& /*reported*/) {}
  virtual void on_rules_failed(RegistryLink& /*link*/, const RuleSubject& /*subject*/,
                               const Error& /*error*/) {}
  virtual void on_change_told(const std::string& /*interface*/,
                              std::chrono::steady_clock::time_point /*at*/) {}
  // What a registry's own checks found and put right (RegistryEvents).
  virtual void on_deaf_watch_found() {}
  virtual void on_lost_node_found() {}
  virtual void on_session_lost() {}
  virtual void on_application_fault(ApplicationFault /*fault*/) {}
};

// open_registry(), or what a test puts in its place.
using OpenRegistry = std::function<Result<std::unique_ptr<Registry>>(
    const std::string& address, Executor&, RegistryEvents&, const RegistryOptions&)>;

// What all links of a control plane share; must outlive them.
struct RegistryLinkContext {
  Executor& executor;
  HostResolver& resolver;
  RegistryLinkEvents& events;
  StateStore& store;
  const AdvertiseSpec& advertise;
  std::uint16_t inbound_port = 0;
  RegistryOptions options{};
  OpenRegistry open = open_registry;
};

// An open registry, together with what the control plane knows about it: its connection, and the
// address that this machine writes into it. Lives on the control thread.
class RegistryLink final : private RegistryEvents {
 public:
  // Fails with kInvalidArgument where `address` is wrong.
  static Result<std::unique_ptr<RegistryLink>> open(const std::string& address,
                                                    const RegistryLinkContext& context);

  void start();

  Registry& registry() { return *registry_; }
  const Registry& registry() const { return *registry_; }
  // Registers `url` once it is stored that it belongs to us: after a crash, a node that nobody
  // remembers would live on for as long as the session does.
  void write(const dubbo::Url& url);
  // The same for one that follows another URL of the same provider (Registry).
  void write_successor(const dubbo::Url& url);
  // The same for a URL that an earlier process has written.
  void keep(const dubbo::Url& url) { registry_->keep_url(url); }
  void take_back(const dubbo::Url& url);
  const std::string& identity() const { return identity_; }
  bool is_connected() const { return connected_; }
  // Empty until the address is chosen; then it stays as it is.
  const std::optional<AdvertisedAddress>& advertised() const { return advertised_; }
  // Why nothing can be written now; empty where it can.
  std::string obstacle() const;
  // What it said of something that is not as asked, else what it has not said: "registry NAME:
  // <last_error>", "registry NAME <missing>".
  std::string reason(const std::string& last_error, std::string_view missing) const;
  RegistryStatus status() const;

 private:
  explicit RegistryLink(RegistryLinkContext context) : context_(std::move(context)) {}

  void write_once_stored(const dubbo::Url& url, void (Registry::*register_as)(const dubbo::Url&));
  // Chooses the advertised address, again after a while where that fails.
  void find_address();
  void choose_address(const std::optional<RegistryServer>& server);
  void retry_address(const std::string& why);

  void on_connection(bool connected, const std::string& detail) override;
  void on_registered(const dubbo::Url& url) override;
  void on_register_failed(const dubbo::Url& url, const Error& error) override;
  void on_unregister_failed(const dubbo::Url& url, const Error& error) override;
  void on_list_failed(const std::string& interface, const Error& error) override;
  void on_unregistered(const dubbo::Url& url) override;
  void on_providers(const std::string& interface,
                    const std::vector<dubbo::Url>& providers) override;
  void on_change_told(const std::string& interface,
                      std::chrono::steady_clock::time_point at) override;
  void on_rules(const RuleSubject& subject, const ReportedRules& reported) override;
  void on_rules_failed(const RuleSubject& subject, const Error& error) override;
  void on_deaf_watch_found(const std::string& interface) override;
  void on_lost_node_found(const dubbo::Url& url) override;
  void on_session_lost() override;
  void on_application_fault(ApplicationFault fault) override;

  RegistryLinkContext context_;
  std::string identity_;
  bool connected_ = false;
  std::string detail_ = "not connected yet";
  std::optional<AdvertisedAddress> advertised_;
  std::set<std::string> unstored_;  // URLs that are written as soon as they are stored
  std::string why_no_address_ = "the advertised address is not chosen yet";
  Alive alive_;
  std::unique_ptr<Registry> registry_;  // last: it calls the others
};

}  // namespace skiff::registry
