#include "registry/rule_book.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "registry/limits.h"

namespace skiff::registry {
namespace {

bool has_kind(const std::string& key, std::uint8_t kinds) {
  const auto parsed = parse_document_key(key);
  return parsed && (parsed->kind & kinds) != 0;
}

// The kinds of documents that differ.
std::uint8_t changed_kinds(const dubbo::RuleTexts& before, const dubbo::RuleTexts& after) {
  unsigned kinds = kNoDocuments;
  const auto add_missing = [&kinds](const dubbo::RuleTexts& these, const dubbo::RuleTexts& those) {
    for (const auto& [key, text] : these.documents) {
      const auto other = those.documents.find(key);
      if (other != those.documents.end() && other->second == text) continue;
      if (const auto parsed = parse_document_key(key)) kinds |= parsed->kind;
    }
  };
  add_missing(before, after);
  add_missing(after, before);
  return static_cast<std::uint8_t>(kinds);
}

}  // namespace

void RuleBook::remember(std::vector<SavedRules> rules) {
  for (SavedRules& one : rules) {
    remembered_.insert_or_assign({std::move(one.registry), std::move(one.subject)},
                                 std::move(one.texts));
  }
  if (remembered_.empty()) return;
  executor_.post_after(kRememberedListExpiry, alive_.guard([this] {
    if (remembered_.empty()) return;
    remembered_.clear();
    store_.on_rules_changed();
  }));
}

std::vector<SavedRules> RuleBook::saved() const {
  std::vector<SavedRules> result;
  for (const auto& [link, sources] : sources_) {
    for (const auto& [subject, source] : sources) {
      if (source.texts) result.push_back({link->identity(), subject, *source.texts});
    }
  }
  for (const auto& [key, texts] : remembered_) result.push_back({key.first, key.second, texts});
  return result;
}

void RuleBook::set_reader(const std::string& name, const std::vector<RegistryLink*>& links,
                          std::vector<RuleNeed> needs) {
  std::sort(needs.begin(), needs.end());
  const auto [found, is_new] = readers_.try_emplace(name);
  Reader& reader = found->second;
  reader.name = &found->first;
  std::vector<Use> uses;
  for (RegistryLink* link : links) {
    for (const RuleNeed& need : needs) {
      uses.push_back({&use(*link, need.subject, reader), need.documents});
    }
  }
  if (uses == reader.uses) return;
  const dubbo::RuleTexts before = rules(name);
  const std::vector<Use> old = std::exchange(reader.uses, std::move(uses));
  const dubbo::RuleTexts after = rules(name);
  if (before != after) reader.revision = ++revisions_;
  reader.is_over = false;
  for (const Use& one : old) {
    const bool is_kept =
        std::ranges::find(reader.uses, one.source, &Use::source) != reader.uses.end();
    if (!is_kept) stop_using(*one.source, reader);
  }
}

void RuleBook::drop_reader(const std::string& name) {
  const auto found = readers_.find(name);
  if (found == readers_.end()) return;
  for (const Use& one : found->second.uses) stop_using(*one.source, found->second);
  readers_.erase(found);
}

RuleBook::Source& RuleBook::use(RegistryLink& link, const RuleSubject& subject, Reader& reader) {
  const auto [found, is_new] = sources_[&link].try_emplace(subject);
  Source& source = found->second;
  if (is_new) {
    source.link = &link;
    source.registry = &link.registry();
    source.subject = &found->first;
    source.texts = take_remembered(link, subject, source.is_known);
    link.registry().watch_rules(subject);
  }
  const auto place = std::lower_bound(source.readers.begin(), source.readers.end(), &reader);
  if (place == source.readers.end() || *place != &reader) source.readers.insert(place, &reader);
  return source;
}

void RuleBook::stop_using(Source& source, Reader& reader) {
  const auto place = std::lower_bound(source.readers.begin(), source.readers.end(), &reader);
  if (place == source.readers.end() || *place != &reader) return;
  source.readers.erase(place);
  if (!source.readers.empty()) return;
  const auto of_link = sources_.find(source.link);
  const RuleSubject subject = *source.subject;
  const bool was_stored = source.texts != nullptr;
  source.registry->unwatch_rules(subject);
  of_link->second.erase(subject);
  if (of_link->second.empty()) sources_.erase(of_link);
  if (was_stored) store_.on_rules_changed();
}

std::unique_ptr<dubbo::RuleTexts> RuleBook::take_remembered(const RegistryLink& link,
                                                            const RuleSubject& subject,
                                                            bool& is_known) {
  auto found = remembered_.extract({link.identity(), subject});
  if (found.empty()) return nullptr;
  is_known = true;
  return std::make_unique<dubbo::RuleTexts>(std::move(found.mapped()));
}

RuleBook::Source* RuleBook::find(const RegistryLink& link, const RuleSubject& subject) {
  const auto of_link = sources_.find(&link);
  if (of_link == sources_.end()) return nullptr;
  const auto found = of_link->second.find(subject);
  return found == of_link->second.end() ? nullptr : &found->second;
}

bool RuleBook::is_heard(const Reader& reader) {
  return std::ranges::all_of(reader.uses, [](const Use& use) { return use.source->is_heard; });
}

bool RuleBook::await(const std::string& name) {
  const auto found = readers_.find(name);
  if (found == readers_.end()) return true;
  Reader& reader = found->second;
  if (reader.is_over || is_heard(reader)) return true;
  if (std::exchange(reader.is_timed, true)) return false;
  executor_.post_after(kRulesWait, alive_.guard([this, name] { give_up(name); }));
  return false;
}

void RuleBook::give_up(const std::string& name) {
  const auto found = readers_.find(name);
  if (found == readers_.end() || !std::exchange(found->second.is_timed, false)) return;
  if (is_heard(found->second)) return;
  found->second.is_over = true;
  spdlog::warn("{}: the {} are not known after {} ms; going on with those that are", name,
               unheard(found->second), kRulesWait.count());
  on_changed_(name, std::nullopt);
}

std::string RuleBook::unheard(const Reader& reader) {
  const auto first =
      std::ranges::find_if(reader.uses, [](const Use& use) { return !use.source->is_heard; });
  return first->source->subject->to_string() + " in registry " +
         first->source->link->registry().name();
}

dubbo::RuleTexts RuleBook::rules(std::string_view name) const {
  dubbo::RuleTexts rules;
  const auto found = readers_.find(name);
  if (found == readers_.end()) return rules;
  for (const Use& use : found->second.uses) add_texts(use, rules);
  std::sort(rules.urls.begin(), rules.urls.end());
  rules.urls.erase(std::unique(rules.urls.begin(), rules.urls.end()), rules.urls.end());
  return rules;
}

void RuleBook::add_texts(const Use& use, dubbo::RuleTexts& rules) {
  if (!use.source->texts) return;
  const dubbo::RuleTexts& texts = *use.source->texts;
  rules.urls.insert(rules.urls.end(), texts.urls.begin(), texts.urls.end());
  for (const auto& [key, text] : texts.documents) {
    if (has_kind(key, use.documents)) rules.documents.emplace(key, text);
  }
}

std::uint64_t RuleBook::revision(std::string_view name) const {
  const auto found = readers_.find(name);
  return found == readers_.end() ? 0 : found->second.revision;
}

void RuleBook::on_rules(const RegistryLink& link, const RuleSubject& subject,
                        const ReportedRules& reported) {
  Source* const source = find(link, subject);
  if (source == nullptr) return;
  dubbo::RuleTexts texts = reported.texts;
  for (const std::string& key : reported.unread) {
    if (!source->texts) break;
    const auto known = source->texts->documents.find(key);
    if (known != source->texts->documents.end()) texts.documents.insert(*known);
  }
  const bool is_first = !std::exchange(source->is_heard, true);
  const bool was_known = std::exchange(source->is_known, true);
  if (is_frozen_ && was_known) {
    source->postponed = std::make_unique<dubbo::RuleTexts>(std::move(texts));
    tell_readers(*source, reported.told_at);
    return;
  }
  const std::uint64_t before = revisions_;
  set_texts(*source, std::move(texts));
  if (is_first || revisions_ != before) tell_readers(*source, reported.told_at);
}

void RuleBook::on_rules_failed(const RegistryLink& link, const RuleSubject& subject,
                               const Error& error) {
  ++metrics_.rule_failures;
  if (error.code == ErrorCode::kTooLarge) ++metrics_.rules_over_limits;
  Source* const source = find(link, subject);
  if (source == nullptr || std::exchange(source->is_heard, true)) return;
  spdlog::warn("registry {}: the {} cannot be read, and those that are known count: {}",
               link.registry().name(), subject.to_string(), error.message);
  tell_readers(*source, std::nullopt);
}

void RuleBook::set_texts(Source& source, dubbo::RuleTexts texts) {
  const dubbo::RuleTexts before = source.texts ? std::move(*source.texts) : dubbo::RuleTexts();
  const bool is_changed = before != texts;
  const bool has_urls_changed = before.urls != texts.urls;
  const std::uint8_t kinds = changed_kinds(before, texts);
  source.texts = texts.empty() ? nullptr : std::make_unique<dubbo::RuleTexts>(std::move(texts));
  if (!is_changed) return;
  ++metrics_.rule_changes;
  store_.on_rules_changed();
  for (Reader* reader : source.readers) {
    const auto use = std::ranges::find(reader->uses, &source, &Use::source);
    if (use == reader->uses.end()) continue;
    if (has_urls_changed || (use->documents & kinds) != 0) reader->revision = ++revisions_;
  }
}

// By their names: who hears of it may change who reads what.
void RuleBook::tell_readers(const Source& source, std::optional<Time> told_at) {
  std::vector<std::string> names;
  names.reserve(source.readers.size());
  for (const Reader* reader : source.readers) names.push_back(*reader->name);
  for (const std::string& name : names) on_changed_(name, told_at);
}

void RuleBook::unfreeze() {
  if (!std::exchange(is_frozen_, false)) return;
  std::set<std::string> names;
  for (auto& [link, sources] : sources_) {
    for (auto& [subject, source] : sources) {
      const auto postponed = std::exchange(source.postponed, nullptr);
      if (!postponed) continue;
      set_texts(source, std::move(*postponed));
      for (const Reader* reader : source.readers) names.insert(*reader->name);
    }
  }
  for (const std::string& name : names) on_changed_(name, std::nullopt);
}

void RuleBook::measure(RegistryMetrics& metrics) const {
  metrics.rule_urls = 0;
  metrics.rule_documents = 0;
  for (const auto& [link, sources] : sources_) {
    for (const auto& [subject, source] : sources) {
      if (!source.texts) continue;
      metrics.rule_urls += source.texts->urls.size();
      metrics.rule_documents += source.texts->documents.size();
    }
  }
}

}  // namespace skiff::registry
