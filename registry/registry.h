#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dubbo/result.h"
#include "dubbo/rule_texts.h"
#include "dubbo/url.h"
#include "registry/executor.h"
#include "registry/list_protection.h"
#include "registry/rule_subject.h"

namespace skiff::registry {

// What was wrong at application level, where instances say what they are, and we do.
enum class ApplicationFault {
  kInstance,    // an instance's node cannot be read
  kMetadata,    // the list of an instance's services came and cannot be read, or is of another one
  kUnanswered,  // it did not come: no node, no connection, no answer in time, an error
  kLimit,       // there is more than a limit allows
  kUnwritten    // a node of ours cannot be written
};
inline constexpr std::size_t kApplicationFaults = 5;

// The rules about a subject.
struct ReportedRules {
  dubbo::RuleTexts texts;
  // Keys of documents that exist and could not be read: what was known of them stays true.
  std::vector<std::string> unread = {};
  // When the registry told of the change; empty where no event did.
  std::optional<std::chrono::steady_clock::time_point> told_at = {};
};

// What a registry tells its owner. Every call comes on the control thread, never from inside a call
// to Registry.
class RegistryEvents {
 public:
  virtual ~RegistryEvents() = default;

  // The session came, or went. `detail` says which server, or why not.
  virtual void on_connection(bool connected, const std::string& detail) = 0;
  // `url` (provider or consumer) is in the registry now, written by us.
  virtual void on_registered(const dubbo::Url& url) = 0;
  // It could not be written; the registry tries again by itself unless `url` is withdrawn.
  virtual void on_register_failed(const dubbo::Url& url, const Error& error) = 0;
  // It is gone from the registry (also where it never was there).
  virtual void on_unregistered(const dubbo::Url& url) = 0;
  // It could not be deleted; the registry tries again by itself.
  virtual void on_unregister_failed(const dubbo::Url& /*url*/, const Error& /*error*/) {}
  // A list could not be read, for another reason than the connection; tried again, too.
  virtual void on_list_failed(const std::string& /*interface*/, const Error& /*error*/) {}
  // The whole list of providers of an interface: once after watch(), then at every change. URLs
  // that cannot be read are left out and logged.
  //
  // A `timestamp` is the time at which the registry saw the provider come, on our clock or its own,
  // where that matters for the provider's warm-up and differs from what the provider says by more
  // than kProviderClockTolerance. A registry that has yet to find out reports the provider's own
  // first, and the list again once it knows better. A URL without timestamp stays without.
  virtual void on_providers(const std::string& interface,
                            const std::vector<dubbo::Url>& providers) = 0;
  // When the registry told of the change that the next on_providers() reports; not called where no
  // event told of it.
  virtual void on_change_told(const std::string& /*interface*/,
                              std::chrono::steady_clock::time_point /*at*/) {}
  // All rules about a subject: once after watch_rules(), then at every change.
  virtual void on_rules(const RuleSubject& /*subject*/, const ReportedRules& /*reported*/) {}
  // Rules cannot be read, for another reason than the connection, or are more than a limit allows
  // (kTooLarge); tried again. Where on_rules() does not follow, what was known of them stays true.
  virtual void on_rules_failed(const RuleSubject& /*subject*/, const Error& /*error*/) {}
  // What a registry's own checks found, and put right: a list had changed and no event had told;
  // a node of ours had gone, or was somebody else's.
  virtual void on_deaf_watch_found(const std::string& /*interface*/) {}
  virtual void on_lost_node_found(const dubbo::Url& /*url*/) {}
  // The session ended, and what was registered with it; all is registered again.
  virtual void on_session_lost() {}
  virtual void on_application_fault(ApplicationFault /*fault*/) {}
};

// What a registry does for us. One implementation a kind of registry; this header names no kind.
// Lives on the control thread: calls come from it and return at once; results arrive there through
// RegistryEvents. Every call is idempotent. What was registered or watched stays so over lost
// connections and expired sessions.
class Registry {
 public:
  virtual ~Registry() = default;

  virtual void start() = 0;

  // Writes a provider URL (protocol dubbo) under the interface's providers, or a consumer URL
  // (protocol consumer) under consumers; unregister_url() deletes exactly the node that was
  // written.
  virtual void register_url(const dubbo::Url& url) = 0;
  virtual void unregister_url(const dubbo::Url& url) = 0;
  // As register_url(), for a URL that an earlier process registered: it may be there already, and
  // then stays untouched.
  virtual void keep_url(const dubbo::Url& url) { register_url(url); }
  // As register_url(), for a URL that takes the place of another one of the same provider, whose
  // `timestamp` it keeps: who finds it in the registry is told that the provider is older than it.
  virtual void register_successor(const dubbo::Url& url) { register_url(url); }
  virtual void watch(const std::string& interface) = 0;
  virtual void unwatch(const std::string& interface) = 0;
  virtual void watch_rules(const RuleSubject& subject) = 0;
  virtual void unwatch_rules(const RuleSubject& subject) = 0;

  // "memory", "zookeeper://127.0.0.1:2181/chroot?group=dubbo"; no password in it.
  virtual std::string name() const = 0;
  // False where what it lists is known to be true, since nobody but this agent writes it.
  virtual bool may_err() const { return true; }
  virtual bool connected() const = 0;
  // URLs that are to be written or deleted and wait for their turn, since many are.
  virtual std::size_t waiting_writes() const { return 0; }
  // A server's address as host:port, whose route decides what we advertise; empty where there is
  // none.
  virtual std::string server_address() const = 0;

  // What a later process needs to go on with all that this one has registered, as if it were the
  // same process; it is a secret. Changes with on_connection() only. "": there is nothing to go on
  // with.
  virtual std::string session_ticket() const { return {}; }
  // Another process goes on with all that this one has registered: says nothing more to the
  // registry, and `done` when that is so. return_to_it(): that process does not come.
  virtual void leave(const std::function<void()>& done) { done(); }
  virtual void return_to_it() {}
  // Before start(): goes on where the process stopped that had this ticket, if that is still
  // possible. keep_url() and unregister_url() see to what that one registered.
  virtual void take_up(const std::string& /*ticket*/) {}
};

struct RegistryOptions {
  // In so long it checks once all that it watches and wrote, whatever events say; zero: never.
  std::chrono::milliseconds check_interval = ListProtection().check_interval;
  // Providers are also looked for where Dubbo 3 registers them by application.
  bool application_discovery = true;
  // Providers are also registered by application, as Dubbo 3 does.
  bool application_registration = false;
};

// Opens "memory" or "zookeeper://host:port[,host:port...][/chroot][?group=dubbo]", username and
// password from user:password@ or ?username=&password=. Fails with kInvalidArgument and a sentence
// that names what is wrong. `executor` and `events` must outlive it.
Result<std::unique_ptr<Registry>> open_registry(const std::string& address, Executor& executor,
                                                RegistryEvents& events,
                                                const RegistryOptions& options = {});

}  // namespace skiff::registry
