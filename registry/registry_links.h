#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dubbo/result.h"
#include "registry/registry_link.h"
#include "registry/saved_state.h"

namespace skiff::registry {

// The open registries: those of the configuration, or the embedded one and what requests named.
// Lives on the control thread. Pointers to links stay valid until close_unused() closes them.
class RegistryLinks {
 public:
  // `context` must outlive the links.
  explicit RegistryLinks(const RegistryLinkContext& context) : context_(context) {}

  // Opens what the operator configured; nothing stands for the embedded registry. Fails with
  // kInvalidArgument where an address is wrong or two lead to one registry.
  Result<void> open_configured(const std::vector<std::string>& addresses);
  // Before start(): tickets of an earlier process, by identity of their registry. Each is handed to
  // its registry when that is opened.
  void take_up(const std::vector<SavedState::Session>& sessions);
  void start();

  // The links that a request uses: without a name, all configured ones. A named registry must be a
  // configured one, or is opened where none is configured. Fails with kInvalidArgument, or with
  // kTooLarge where kMaxRegistriesOnRequest are open.
  Result<std::vector<RegistryLink*>> choose(const std::optional<RegistryName>& name);

  std::vector<RegistryLink*> all() const;
  // Null where none is open.
  RegistryLink* find(const std::string& identity) const;
  std::vector<SavedState::Session> saved() const;
  // Closes the links that a request opened and `is_used` denies.
  void close_unused(const std::function<bool(const RegistryLink&)>& is_used);

 private:
  struct OpenLink {
    std::unique_ptr<RegistryLink> link;
    bool on_request = false;
  };

  std::size_t opened_on_request() const;
  tl::unexpected<Error> not_configured(const RegistryName& name) const;

  const RegistryLinkContext& context_;
  bool any_configured_ = false;
  bool started_ = false;
  std::map<std::string, std::string> tickets_;  // by identity, of registries not opened yet
  std::vector<OpenLink> links_;
};

}  // namespace skiff::registry
