#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "dubbo/rule_texts.h"
#include "dubbo/service_key.h"
#include "governance/configurators.h"
#include "governance/router_rules.h"

namespace skiff::governance {

// A document or a URL of a rule, as it was read. Immutable.
struct ReadRule {
  std::string name;  // the document's key, or the URL
  std::string text;  // of the document; empty for a URL
  // What it says: one of these, or nothing where it is not enabled.
  Configurators configurators = {};
  RouterRulePtr router = {};
  int priority = 0;  // of a URL's router
  // Why `text` is not in force: then the above is what it said before, if it ever was right.
  std::string problem = {};
};
using ReadRulePtr = std::shared_ptr<const ReadRule>;

// Every rule that may concern one interface, read. Immutable.
class RuleSet {
 public:
  RuleSet() = default;
  RuleSet(std::map<std::string, ReadRulePtr, std::less<>> documents, std::vector<ReadRulePtr> urls)
      : documents_(std::move(documents)), urls_(std::move(urls)) {}

  // In the order in which Dubbo applies them, for a consumer: those of URLs, of its application, of
  // the service.
  Configurators configurators(const dubbo::ServiceKey& service,
                              const std::string& application) const;
  // In the order of Dubbo's router chain: mesh, tag, condition rules of the service, of the
  // providers' applications, of the consumer's; those of URLs by priority. Tags in URLs count
  // always.
  std::vector<RouterRulePtr> routers(const dubbo::ServiceKey& service,
                                     const std::string& application,
                                     const std::vector<std::string>& provider_applications) const;

  // Sentences about rules that are not in force as they are written.
  std::vector<std::string> problems() const;
  const std::map<std::string, ReadRulePtr, std::less<>>& documents() const { return documents_; }
  const std::vector<ReadRulePtr>& urls() const { return urls_; }

 private:
  const ReadRule* find(const std::string& owner, std::string_view suffix) const;

  std::map<std::string, ReadRulePtr, std::less<>> documents_;
  std::vector<ReadRulePtr> urls_;
};

// Reads rules. Many interfaces share the document of an application: it is read once, as long as
// one of them holds it. A text that cannot be read leaves the one before it in force. Lives on one
// thread.
class RuleReader {
 public:
  RuleSet read(const dubbo::RuleTexts& texts);
  // Documents and URLs that somebody holds.
  std::size_t size() const { return known_.size(); }

 private:
  ReadRulePtr read_document(const std::string& key, const std::string& text);
  ReadRulePtr read_url(const std::string& text);
  ReadRulePtr known(const std::string& name) const;
  void forget_unused();

  std::map<std::string, std::weak_ptr<const ReadRule>> known_;  // by name
  std::size_t forget_at_ = 1024;                                // this size
};

}  // namespace skiff::governance
