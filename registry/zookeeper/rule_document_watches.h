#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "registry/alive.h"
#include "registry/executor.h"
#include "registry/paced_log.h"
#include "registry/registry.h"
#include "registry/zookeeper/node_watches.h"

namespace skiff::registry {

// The documents of Dubbo's config centre, <root>/config/dubbo/<key>, as YAML. One watch on the
// folder says which keys there are; of these, the ones about a watched subject are read and
// watched: a fleet has few rules, and each interface many keys that might exist. A document that
// cannot be read, or is too large, stays as it was. Lives on the control thread.
class RuleDocumentWatches {
 public:
  // All must outlive it.
  RuleDocumentWatches(const std::string& root, NodeWatches& nodes, Executor& executor,
                      RegistryEvents& events)
      : folder_(root + "/config/dubbo"), nodes_(nodes), executor_(executor), events_(events) {}

  void watch(const std::string& subject);
  void unwatch(const std::string& subject);

 private:
  using Time = std::chrono::steady_clock::time_point;
  struct Document {
    enum class State {
      kAwaited,
      kUnread,  // it cannot be read, and never was
      kKnown
    };

    State state = State::kAwaited;
    std::string text;             // as last read
    std::optional<Time> told_at;  // of the event that brought the key, until the text is there
  };
  using Documents = std::map<std::string, Document, std::less<>>;  // by key

  std::string path_of(const std::string& key) const { return folder_ + "/" + key; }
  void answer_later();
  void answer();
  void begin(const std::string& subject);
  void on_keys(const NodeContent& content);
  void add(const std::string& key, std::optional<Time> told_at);
  Documents::iterator remove(Documents::iterator document);
  void on_document(const std::string& key, const NodeContent& content);
  std::optional<Error> what_is_wrong(const std::string& key, const Document& known,
                                     const NodeContent& content);
  void fail(const std::string& subject, const Error& error);
  void report(const std::string& subject, std::optional<Time> told_at);

  const std::string folder_;
  NodeWatches& nodes_;
  Executor& executor_;
  RegistryEvents& events_;
  Alive alive_;
  PacedLog log_;
  std::set<std::string, std::less<>> subjects_;
  std::vector<std::string> unanswered_;  // subjects of which nothing has been said yet
  bool is_answering_soon_ = false;
  bool is_watching_ = false;
  std::optional<std::vector<std::string>> keys_;  // all that exist and may be rules, sorted
  Documents documents_;                           // those about subjects_
  std::size_t bytes_ = 0;                         // of their texts
};

}  // namespace skiff::registry
