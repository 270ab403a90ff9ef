#include "registry/zookeeper/rule_document_watches.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "registry/limits.h"

namespace skiff::registry {
namespace {

std::string subject_of(std::string_view key) {
  const auto parsed = parse_document_key(key);
  return std::string(parsed ? parsed->subject : std::string_view());
}

}  // namespace

void RuleDocumentWatches::watch(const std::string& subject) {
  if (!subjects_.insert(subject).second) return;
  unanswered_.push_back(subject);
  answer_later();
  if (std::exchange(is_watching_, true)) return;
  nodes_.watch(folder_, NodeWatches::Kind::kChildren, true,
               [this](const NodeContent& content) { on_keys(content); });
}

void RuleDocumentWatches::unwatch(const std::string& subject) {
  if (subjects_.erase(subject) == 0) return;
  for (const std::string_view suffix : kDocumentSuffixes) {
    const auto found = documents_.find(std::string(subject).append(suffix));
    if (found != documents_.end()) remove(found);
  }
}

void RuleDocumentWatches::answer_later() {
  if (std::exchange(is_answering_soon_, true)) return;
  executor_.post(alive_.guard([this] { answer(); }));
}

void RuleDocumentWatches::answer() {
  is_answering_soon_ = false;
  if (!keys_) return;
  for (const std::string& subject : std::exchange(unanswered_, {})) {
    if (!subjects_.contains(subject)) continue;
    for (const std::string_view suffix : kDocumentSuffixes) {
      const std::string key = std::string(subject).append(suffix);
      if (std::binary_search(keys_->begin(), keys_->end(), key)) add(key, std::nullopt);
    }
    report(subject, std::nullopt);
  }
}

void RuleDocumentWatches::on_keys(const NodeContent& content) {
  if (content.state == NodeContent::State::kUnreadable) {
    if (keys_) return events_.on_rules_failed({}, {ErrorCode::kUnavailable, content.error});
    for (const std::string& subject : std::vector<std::string>(unanswered_)) {
      if (subjects_.contains(subject)) fail(subject, {ErrorCode::kUnavailable, content.error});
    }
    return;
  }
  keys_.emplace();
  std::ranges::copy_if(content.names, std::back_inserter(*keys_), [](const std::string& name) {
    return parse_document_key(name).has_value();
  });
  std::set<std::string> deleted;  // subjects: who hears of them may stop watches
  for (auto document = documents_.begin(); document != documents_.end();) {
    if (std::binary_search(keys_->begin(), keys_->end(), document->first)) {
      ++document;
    } else {
      deleted.insert(subject_of(document->first));
      document = remove(document);
    }
  }
  for (const std::string& subject : deleted) report(subject, content.told_at);
  for (const std::string& key : *keys_) {
    if (subjects_.contains(parse_document_key(key)->subject)) add(key, content.told_at);
  }
  answer();
}

void RuleDocumentWatches::add(const std::string& key, std::optional<Time> told_at) {
  if (documents_.contains(key)) return;
  if (documents_.size() >= kMaxRuleDocuments) {
    const std::string sentence = "the rule document " + key + " is left out: the limit is " +
                                 std::to_string(kMaxRuleDocuments) + " documents";
    log_.warn(sentence, executor_.now());
    fail(subject_of(key), {ErrorCode::kTooLarge, sentence});
    return;
  }
  documents_[key].told_at = told_at;
  nodes_.watch(path_of(key), NodeWatches::Kind::kData, true,
               [this, key](const NodeContent& content) { on_document(key, content); });
}

RuleDocumentWatches::Documents::iterator RuleDocumentWatches::remove(Documents::iterator document) {
  nodes_.unwatch(path_of(document->first));
  bytes_ -= document->second.text.size();
  return documents_.erase(document);
}

void RuleDocumentWatches::on_document(const std::string& key, const NodeContent& content) {
  Document& document = documents_.find(key)->second;
  const std::string subject = subject_of(key);
  const auto told_at = content.told_at ? content.told_at : document.told_at;
  document.told_at.reset();
  std::optional<Error> error = what_is_wrong(key, document, content);
  const bool is_news = !error || document.state == Document::State::kAwaited;
  if (!error) {
    bytes_ = bytes_ - document.text.size() + content.data.size();
    document.text = content.data;
    document.state = Document::State::kKnown;
  } else if (is_news) {
    document.state = Document::State::kUnread;
  }
  if (is_news) report(subject, told_at);  // who hears of it may stop the watch
  if (error) fail(subject, *error);
}

std::optional<Error> RuleDocumentWatches::what_is_wrong(const std::string& key,
                                                        const Document& known,
                                                        const NodeContent& content) {
  if (content.state == NodeContent::State::kUnreadable) {
    return Error{ErrorCode::kUnavailable, content.error};
  }
  const std::size_t size = content.data.size();
  const std::size_t bytes = bytes_ - known.text.size() + size;
  if (size <= kMaxRuleDocumentBytes && bytes <= kMaxRuleDocumentBytesKept) return std::nullopt;
  std::string sentence = "the rule document " + key + " has " + std::to_string(size) +
                         " bytes and is left out: the limit is " +
                         std::to_string(kMaxRuleDocumentBytes) + " bytes, and " +
                         std::to_string(kMaxRuleDocumentBytesKept) + " of all documents together";
  log_.warn(sentence, executor_.now());
  return Error{ErrorCode::kTooLarge, std::move(sentence)};
}

void RuleDocumentWatches::fail(const std::string& subject, const Error& error) {
  events_.on_rules_failed(RuleSubject::documents_of(subject), error);
}

// Once all documents about it have been read, or could not be.
void RuleDocumentWatches::report(const std::string& subject, std::optional<Time> told_at) {
  ReportedRules reported{.texts = {}, .unread = {}, .told_at = told_at};
  for (const std::string_view suffix : kDocumentSuffixes) {
    const auto found = documents_.find(std::string(subject).append(suffix));
    if (found == documents_.end()) continue;
    const auto& [key, document] = *found;
    if (document.state == Document::State::kAwaited) return;
    if (document.state == Document::State::kUnread) reported.unread.push_back(key);
    if (!document.text.empty()) reported.texts.documents.emplace(key, document.text);
  }
  events_.on_rules(RuleSubject::documents_of(subject), reported);
}

}  // namespace skiff::registry
