#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dubbo/result.h"
#include "dubbo/url.h"
#include "registry/control_plane.h"
#include "registry/registry_link.h"
#include "registry/saved_state.h"

namespace skiff::registry {

// URLs that are on their way out of registries: asked to be withdrawn, not confirmed yet. The
// registries keep trying by themselves; this is the book of what is left. Lives on the control
// thread.
class Withdrawals {
 public:
  // `subject` is the publication or subscription that the URL belonged to.
  void withdraw(const std::string& subject, RegistryLink& link, const dubbo::Url& url);
  // The subject of a URL that is gone now; empty where it was not on the way out.
  std::optional<std::string> on_unregistered(const RegistryLink& link, const dubbo::Url& url);

  void on_unregister_failed(const RegistryLink& link, const dubbo::Url& url, const Error& error);

  bool is_leaving(const std::string& subject) const { return leaving_.contains(subject); }
  // One of those that begin with `subjects`; empty where nothing of them is on the way out.
  std::optional<std::string> first_leaving(std::string_view subjects) const;
  bool is_leaving(const RegistryLink& link, const dubbo::Url& url) const {
    return urls_.contains({&link, url.to_string()});
  }
  bool is_empty() const { return urls_.empty(); }
  bool uses(const RegistryLink& link) const;
  // Why something of `subject` is still there: "registry ... has not confirmed ...".
  std::string obstacle(const std::string& subject) const;
  std::vector<SavedState::Leaving> saved() const;
  std::vector<LeavingStatus> status() const;

 private:
  // By link and text. No URL is written twice, its timestamp differs; so a text is one node.
  using UrlId = std::pair<const RegistryLink*, std::string>;

  struct Leaving {
    std::string subject;
    std::string last_error;
  };

  static std::string obstacle(const UrlId& id, const Leaving& leaving);

  std::map<UrlId, Leaving> urls_;
  std::map<std::string, std::size_t> leaving_;  // subject -> how many URLs
};

}  // namespace skiff::registry
