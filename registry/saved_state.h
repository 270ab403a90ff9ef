#pragma once

#include <string>
#include <vector>

#include "dubbo/rule_texts.h"
#include "registry/control_plane.h"
#include "registry/listed_provider.h"
#include "registry/rule_subject.h"

namespace skiff::registry {

// What a control plane must find again after its process has ended, whichever way it did. Plain
// data; registries are named by their registry_identity().
struct SavedState {
  // A URL that is, or may be, in a registry.
  struct Written {
    std::string registry;
    std::string url;
    bool operator==(const Written&) const = default;
  };
  struct Publication {
    PublicationRequest request;
    bool stopping = false;         // the application has said that it is about to stop
    std::vector<Written> written;  // the one that is to stay before those that it replaces
    bool operator==(const Publication&) const = default;
  };
  struct Subscription {
    SubscriptionRequest request;
    std::vector<Written> written;
    bool operator==(const Subscription&) const = default;
  };
  // A URL that was asked to go, and may still be there.
  struct Leaving {
    Written written;
    std::string subject;  // of Withdrawals
    bool operator==(const Leaving&) const = default;
  };
  struct Session {
    std::string registry;
    std::string ticket;  // Registry::session_ticket()
    bool operator==(const Session&) const = default;
  };

  std::vector<Publication> publications;
  std::vector<Subscription> subscriptions;
  std::vector<Leaving> leaving;
  std::vector<Session> sessions;
  bool drained = false;  // the machine is taken out of service
  bool operator==(const SavedState&) const = default;
};

// What a registry last listed for an interface.
struct SavedList {
  std::string registry;
  std::string interface;
  ListedProviders providers;
  bool operator==(const SavedList&) const = default;
};

// The rules about a subject that a registry last held.
struct SavedRules {
  std::string registry;
  RuleSubject subject;
  dubbo::RuleTexts texts;
  bool operator==(const SavedRules&) const = default;
};

}  // namespace skiff::registry
