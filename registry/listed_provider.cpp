#include "registry/listed_provider.h"

#include <utility>

namespace skiff::registry {
namespace {

constexpr std::string_view kProtocolEnd = "://";

}  // namespace

// What a string grew by while it was made is half of its text or so: 45 MiB of 200,000 providers.
ListedProvider::ListedProvider(const dubbo::Url& url) {
  std::string text = url.to_string();
  text.shrink_to_fit();
  text_ = std::make_shared<const std::string>(std::move(text));
}

std::string_view ListedProvider::protocol() const {
  return text().substr(0, text().find(kProtocolEnd));
}

std::string_view ListedProvider::address() const {
  std::string_view authority = text().substr(text().find(kProtocolEnd) + kProtocolEnd.size());
  authority = authority.substr(0, authority.find_first_of("/?"));
  return authority.substr(authority.rfind('@') + 1);  // npos + 1 is 0
}

std::string_view ListedProvider::parameter(std::string_view key) const {
  std::string_view rest = text();
  for (auto start = rest.find('?'); start != std::string_view::npos; start = rest.find('&')) {
    rest.remove_prefix(start + 1);
    if (!rest.starts_with(key) || rest.size() == key.size() || rest[key.size()] != '=') continue;
    rest.remove_prefix(key.size() + 1);
    return rest.substr(0, rest.find('&'));
  }
  return {};
}

bool matches(const dubbo::ServiceKey& wanted, const ListedProvider& provider) {
  return dubbo::group_matches(wanted.group, provider.parameter("group")) &&
         dubbo::version_matches(wanted.version, provider.parameter("version"));
}

ListedProviders listed(const std::vector<dubbo::Url>& urls) { return {urls.begin(), urls.end()}; }

std::vector<dubbo::Url> urls_of(const ListedProviders& providers) {
  std::vector<dubbo::Url> urls;
  urls.reserve(providers.size());
  for (const ListedProvider& provider : providers) {
    if (auto url = dubbo::Url::parse(provider.text())) urls.push_back(std::move(*url));
  }
  return urls;
}

}  // namespace skiff::registry
