#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "dubbo/service_key.h"
#include "dubbo/url.h"

namespace skiff::registry {

// The URL of a provider as a registry lists it. An agent knows hundreds of thousands of them, and
// each is held in several places: so it is one text, which copies share, an eighth of what a
// dubbo::Url takes. Immutable; may be read by several threads.
class ListedProvider {
 public:
  explicit ListedProvider(const dubbo::Url& url);

  // Url::to_string().
  std::string_view text() const { return *text_; }
  // As of the Url.
  std::string_view protocol() const;
  std::string_view address() const;
  std::string_view parameter(std::string_view key) const;

  // By the texts.
  bool operator==(const ListedProvider& other) const {
    return text_ == other.text_ || text() == other.text();
  }
  bool operator<(const ListedProvider& other) const { return text() < other.text(); }

 private:
  std::shared_ptr<const std::string> text_;
};

using ListedProviders = std::vector<ListedProvider>;

// By group and version, as dubbo::matches(): whose interface it is, who holds the list knows; an
// old provider's URL may name another path.
bool matches(const dubbo::ServiceKey& wanted, const ListedProvider& provider);

ListedProviders listed(const std::vector<dubbo::Url>& urls);
// Leaves out what Url::parse() does not read, since its text is too long or its parts, which an
// instance's metadata may have named, are those of no URL.
std::vector<dubbo::Url> urls_of(const ListedProviders& providers);

}  // namespace skiff::registry
