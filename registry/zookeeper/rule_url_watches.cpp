#include "registry/zookeeper/rule_url_watches.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "dubbo/url.h"
#include "registry/limits.h"

namespace skiff::registry {

std::string RuleUrlWatches::path_of(const std::string& interface) const {
  return root_ + "/" + dubbo::url_encode(interface);
}

void RuleUrlWatches::watch(const std::string& interface) {
  if (!interfaces_.try_emplace(interface).second) return;
  waiting_.push_back(interface);
  begin_waiting();
}

void RuleUrlWatches::begin_waiting() {
  while (under_way_ < kRulesReadAtOnce && !waiting_.empty()) {
    const std::string interface = std::move(waiting_.front());
    waiting_.pop_front();
    const auto found = interfaces_.find(interface);
    if (found == interfaces_.end() || !found->second.is_waiting) continue;
    found->second.is_waiting = false;
    ++under_way_;
    nodes_.watch(
        path_of(interface), NodeWatches::Kind::kChildren, true,
        [this, interface](const NodeContent& content) { on_interface_folder(interface, content); });
  }
}

void RuleUrlWatches::unwatch(const std::string& interface) {
  const auto found = interfaces_.find(interface);
  if (found == interfaces_.end()) return;
  if (!found->second.is_waiting) {
    nodes_.unwatch(path_of(interface));
    for (std::size_t i = 0; i < kFolders.size(); ++i) set_watched(interface, i, false);
    settle(found->second);
  }
  interfaces_.erase(found);
  begin_waiting();
}

void RuleUrlWatches::on_interface_folder(const std::string& interface, const NodeContent& content) {
  Interface& known = interfaces_.at(interface);
  if (content.state == NodeContent::State::kUnreadable) {
    fail(interface, known, {ErrorCode::kUnavailable, content.error});
    return;
  }
  bool is_news = false;
  for (std::size_t i = 0; i < kFolders.size(); ++i) {
    Folder& folder = known.folders[i];
    const bool was_watched = folder.is_watched;
    const bool is_there = std::binary_search(content.names.begin(), content.names.end(),
                                             std::string_view(kFolders[i]).substr(1));
    set_watched(interface, i, is_there);
    if (is_there) {
      if (!was_watched) known.told_at = content.told_at;  // it is read now
    } else if (!folder.urls || !folder.urls->empty()) {
      folder.urls.emplace();
      is_news = true;
    }
  }
  if (is_news) report(interface, known, content.told_at);
}

void RuleUrlWatches::set_watched(const std::string& interface, std::size_t index, bool is_there) {
  Folder& folder = interfaces_.at(interface).folders[index];
  if (std::exchange(folder.is_watched, is_there) == is_there) return;
  const std::string path = path_of(interface) + kFolders[index];
  if (!is_there) {
    nodes_.unwatch(path);
    return;
  }
  nodes_.watch(path, NodeWatches::Kind::kChildren, true,
               [this, interface, index](const NodeContent& content) {
                 on_rule_folder(interface, index, content);
               });
}

void RuleUrlWatches::on_rule_folder(const std::string& interface, std::size_t index,
                                    const NodeContent& content) {
  Interface& known = interfaces_.at(interface);
  if (content.state == NodeContent::State::kUnreadable) {
    fail(interface, known, {ErrorCode::kUnavailable, content.error});
    return;
  }
  if (content.names.size() > kMaxRuleUrlsPerInterface) tell_of_limit(interface, content);
  std::vector<std::string> urls = decode(interface, content.names);
  auto& before = known.folders[index].urls;
  const auto told_at = content.told_at ? content.told_at : known.told_at;
  known.told_at.reset();
  if (before == urls) return;
  before = std::move(urls);
  report(interface, known, told_at);
}

void RuleUrlWatches::tell_of_limit(const std::string& interface, const NodeContent& content) {
  const std::string sentence = std::to_string(content.names.size()) + " rule URLs of " + interface +
                               " are listed: those over the limit of " +
                               std::to_string(kMaxRuleUrlsPerInterface) + " are left out";
  log_.warn(sentence, executor_.now());
  executor_.post(alive_.guard([this, interface, sentence] {
    events_.on_rules_failed(RuleSubject::urls_of(interface), {ErrorCode::kTooLarge, sentence});
  }));
}

std::vector<std::string> RuleUrlWatches::decode(const std::string& interface,
                                                const std::vector<std::string>& names) {
  std::vector<std::string> urls;
  for (const std::string& name : names) {
    if (urls.size() == kMaxRuleUrlsPerInterface) break;
    if (auto url = dubbo::url_decode(name)) {
      urls.push_back(std::move(*url));
    } else {
      constexpr std::size_t kMaxShown = 200;
      log_.warn("a rule of " + interface + " is left out, its node's name cannot be read: " +
                    url.error().message + " (" + name.substr(0, kMaxShown) + ")",
                executor_.now());
    }
  }
  return urls;
}

void RuleUrlWatches::fail(const std::string& interface, Interface& known, const Error& error) {
  settle(known);  // first: who hears of it may stop the watch
  events_.on_rules_failed(RuleSubject::urls_of(interface), error);
  begin_waiting();
}

void RuleUrlWatches::report(const std::string& interface, Interface& known,
                            std::optional<Time> told_at) {
  std::vector<std::string> urls;
  for (const Folder& folder : known.folders) {
    if (!folder.urls) return;  // soon
    urls.insert(urls.end(), folder.urls->begin(), folder.urls->end());
  }
  std::sort(urls.begin(), urls.end());
  urls.erase(std::unique(urls.begin(), urls.end()), urls.end());
  settle(known);  // first: who hears of it may stop the watch
  events_.on_rules(
      RuleSubject::urls_of(interface),
      {.texts = {.urls = std::move(urls), .documents = {}}, .unread = {}, .told_at = told_at});
  begin_waiting();
}

void RuleUrlWatches::settle(Interface& known) {
  if (!std::exchange(known.is_settled, true)) --under_way_;
}

}  // namespace skiff::registry
