#include "registry/withdrawals.h"

#include <algorithm>

namespace skiff::registry {

void Withdrawals::withdraw(const std::string& subject, RegistryLink& link, const dubbo::Url& url) {
  const auto [entry, is_new] = urls_.try_emplace(UrlId{&link, url.to_string()});
  if (is_new) {
    entry->second.subject = subject;
    ++leaving_[subject];
  }
  link.take_back(url);
}

std::optional<std::string> Withdrawals::on_unregistered(const RegistryLink& link,
                                                        const dubbo::Url& url) {
  const auto found = urls_.find(UrlId{&link, url.to_string()});
  if (found == urls_.end()) return std::nullopt;
  std::string subject = std::move(found->second.subject);
  urls_.erase(found);
  if (--leaving_[subject] == 0) leaving_.erase(subject);
  return subject;
}

void Withdrawals::on_unregister_failed(const RegistryLink& link, const dubbo::Url& url,
                                       const Error& error) {
  const auto found = urls_.find(UrlId{&link, url.to_string()});
  if (found != urls_.end()) found->second.last_error = error.message;
}

std::optional<std::string> Withdrawals::first_leaving(std::string_view subjects) const {
  const auto first = leaving_.lower_bound(std::string(subjects));
  if (first == leaving_.end() || !first->first.starts_with(subjects)) return std::nullopt;
  return first->first;
}

std::vector<SavedState::Leaving> Withdrawals::saved() const {
  std::vector<SavedState::Leaving> result;
  for (const auto& [id, leaving] : urls_) {
    result.push_back({.written = {.registry = id.first->identity(), .url = id.second},
                      .subject = leaving.subject});
  }
  return result;
}

std::vector<LeavingStatus> Withdrawals::status() const {
  std::vector<LeavingStatus> result;
  for (const auto& [id, leaving] : urls_) {
    result.push_back({.registry = id.first->registry().name(),
                      .url = id.second,
                      .reason = obstacle(id, leaving)});
  }
  return result;
}

bool Withdrawals::uses(const RegistryLink& link) const {
  return std::any_of(urls_.begin(), urls_.end(),
                     [&link](const auto& entry) { return entry.first.first == &link; });
}

std::string Withdrawals::obstacle(const UrlId& id, const Leaving& leaving) {
  std::string obstacle = id.first->obstacle();
  if (!obstacle.empty()) return obstacle;
  return id.first->reason(leaving.last_error, "has not confirmed the withdrawal yet");
}

std::string Withdrawals::obstacle(const std::string& subject) const {
  for (const auto& [id, leaving] : urls_) {
    if (leaving.subject == subject) return obstacle(id, leaving);
  }
  return {};
}

}  // namespace skiff::registry
