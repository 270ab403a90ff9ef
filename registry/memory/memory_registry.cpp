#include "registry/memory/memory_registry.h"

#include <utility>

namespace skiff::registry {
namespace {

// Consumer URLs have no readers here; only that they were written is reported.
bool is_provider(const dubbo::Url& url) { return url.protocol != "consumer"; }

}  // namespace

void MemoryRegistry::start() {
  post([this] {
    events_.on_connection(true, "embedded registry, this agent only");
    has_reported_connection_ = true;
    for (const std::string& interface : watched_) post_providers(interface);
  });
}

void MemoryRegistry::register_url(const dubbo::Url& url) {
  post([this, url] { events_.on_registered(url); });
  if (!is_provider(url)) return;
  const std::string interface = url.service_key().interface;
  if (providers_[interface].emplace(url.to_string(), url).second) post_providers(interface);
}

void MemoryRegistry::unregister_url(const dubbo::Url& url) {
  post([this, url] { events_.on_unregistered(url); });
  const auto found = providers_.find(url.service_key().interface);
  if (!is_provider(url) || found == providers_.end()) return;
  const std::string interface = found->first;
  const bool removed = found->second.erase(url.to_string()) != 0;
  if (found->second.empty()) providers_.erase(found);
  if (removed) post_providers(interface);
}

void MemoryRegistry::watch(const std::string& interface) {
  if (watched_.insert(interface).second) post_providers(interface);
}

void MemoryRegistry::unwatch(const std::string& interface) { watched_.erase(interface); }

void MemoryRegistry::post_providers(const std::string& interface) {
  post([this, interface] { report_providers(interface); });
}

void MemoryRegistry::report_providers(const std::string& interface) {
  if (!has_reported_connection_ || !watched_.contains(interface)) return;
  std::vector<dubbo::Url> urls;
  if (const auto found = providers_.find(interface); found != providers_.end()) {
    urls.reserve(found->second.size());
    for (const auto& [text, url] : found->second) urls.push_back(url);
  }
  events_.on_providers(interface, urls);
}

}  // namespace skiff::registry
