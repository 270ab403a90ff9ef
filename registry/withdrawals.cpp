#include "registry/withdrawals.h"

#include <algorithm>

namespace skiff::registry {

void Withdrawals::withdraw(const std::string& subject, RegistryLink& link, const dubbo::Url& url) {
  if (urls_.emplace(UrlId{&link, url.to_string()}, subject).second) ++leaving_[subject];
  link.take_back(url);
}

std::optional<std::string> Withdrawals::on_unregistered(const RegistryLink& link,
                                                        const dubbo::Url& url) {
  const auto found = urls_.find(UrlId{&link, url.to_string()});
  if (found == urls_.end()) return std::nullopt;
  std::string subject = std::move(found->second);
  urls_.erase(found);
  if (--leaving_[subject] == 0) leaving_.erase(subject);
  return subject;
}

std::vector<SavedState::Leaving> Withdrawals::saved() const {
  std::vector<SavedState::Leaving> result;
  for (const auto& [id, subject] : urls_) {
    result.push_back(
        {.written = {.registry = id.first->identity(), .url = id.second}, .subject = subject});
  }
  return result;
}

bool Withdrawals::uses(const RegistryLink& link) const {
  return std::any_of(urls_.begin(), urls_.end(),
                     [&link](const auto& entry) { return entry.first.first == &link; });
}

std::string Withdrawals::obstacle(const std::string& subject) const {
  for (const auto& [id, its_subject] : urls_) {
    if (its_subject != subject) continue;
    const std::string obstacle = id.first->obstacle();
    return obstacle.empty() ? "the registry has not confirmed the withdrawal yet" : obstacle;
  }
  return {};
}

}  // namespace skiff::registry
