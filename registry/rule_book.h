#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dubbo/rule_texts.h"
#include "registry/alive.h"
#include "registry/executor.h"
#include "registry/registry_link.h"
#include "registry/registry_metrics.h"
#include "registry/rule_subject.h"
#include "registry/saved_state.h"
#include "registry/state_store.h"

namespace skiff::registry {

// What a reader wants to know about a subject.
struct RuleNeed {
  RuleSubject subject;
  std::uint8_t documents = kNoDocuments;  // a set of DocumentKinds

  auto operator<=>(const RuleNeed&) const = default;  // NOLINT(modernize-use-nullptr)
};

// The governance rules that this agent needs, as all registries hold them: each text once, whoever
// reads it. A reader is an interface of the directory, or a publication; it says which subjects
// concern it, and gets their rules together. A registry that is away, or cannot read a rule, keeps
// its last one here, and the store has them all: what an earlier process knew is used until the
// registry says otherwise. Lives on the control thread.
class RuleBook {
 public:
  using Time = std::chrono::steady_clock::time_point;
  // The rules of a reader have changed, or are known now; `told_at` as in ReportedRules.
  using OnChanged = std::function<void(const std::string& reader, std::optional<Time> told_at)>;

  // All must outlive it.
  RuleBook(Executor& executor, StateStore& store, RegistryMetrics& metrics, OnChanged on_changed)
      : executor_(executor), store_(store), metrics_(metrics), on_changed_(std::move(on_changed)) {}

  // Rules of an earlier process, for subjects that somebody needs before kRememberedListExpiry.
  void remember(std::vector<SavedRules> rules);
  // What remember() needs.
  std::vector<SavedRules> saved() const;

  // `name` reads this from now on, in these registries: of two that have a document, the first one
  // counts.
  void set_reader(const std::string& name, const std::vector<RegistryLink*>& links,
                  std::vector<RuleNeed> needs);
  void drop_reader(const std::string& name);

  // True where every registry has said what it holds for the reader, or cannot; false where
  // on_changed() will follow, within kRulesWait: then it is waited for no longer.
  bool await(const std::string& name);
  dubbo::RuleTexts rules(std::string_view name) const;
  // Another number whenever rules() has changed.
  std::uint64_t revision(std::string_view name) const;

  void on_rules(const RegistryLink& link, const RuleSubject& subject,
                const ReportedRules& reported);
  void on_rules_failed(const RegistryLink& link, const RuleSubject& subject, const Error& error);

  // Keeps rules that are known as they are. Readers hear on_changed() all the same, at once and
  // when the change applies.
  void freeze() { is_frozen_ = true; }
  void unfreeze();

  // Puts what is so now into the figures.
  void measure(RegistryMetrics& metrics) const;

 private:
  struct Reader;
  struct Source;
  using Sources = std::map<RuleSubject, Source>;

  // What one reader takes of a source.
  struct Use {
    Source* source;
    std::uint8_t documents;
    auto operator<=>(const Use&) const = default;  // NOLINT(modernize-use-nullptr)
  };
  struct Reader {
    const std::string* name = nullptr;
    std::vector<Use> uses;  // in the order of registries
    std::uint64_t revision = 0;
    bool is_timed = false;  // kRulesWait runs
    bool is_over = false;   // it is waited for no longer
  };
  // The rules about a subject in one registry.
  struct Source {
    const RegistryLink* link = nullptr;
    Registry* registry = nullptr;
    const RuleSubject* subject = nullptr;
    std::vector<Reader*> readers;                 // sorted
    std::unique_ptr<dubbo::RuleTexts> texts;      // null: none
    std::unique_ptr<dubbo::RuleTexts> postponed;  // by the freeze; may be empty
    bool is_heard = false;                        // the registry has said, or cannot
    bool is_known = false;                        // it has said, or an earlier process knew
  };

  Source& use(RegistryLink& link, const RuleSubject& subject, Reader& reader);
  void stop_using(Source& source, Reader& reader);
  Source* find(const RegistryLink& link, const RuleSubject& subject);
  std::unique_ptr<dubbo::RuleTexts> take_remembered(const RegistryLink& link,
                                                    const RuleSubject& subject, bool& is_known);
  void set_texts(Source& source, dubbo::RuleTexts texts);
  void tell_readers(const Source& source, std::optional<Time> told_at);
  void give_up(const std::string& name);
  static bool is_heard(const Reader& reader);
  static std::string unheard(const Reader& reader);
  static void add_texts(const Use& use, dubbo::RuleTexts& rules);

  Executor& executor_;
  StateStore& store_;
  RegistryMetrics& metrics_;
  const OnChanged on_changed_;
  bool is_frozen_ = false;
  std::uint64_t revisions_ = 0;
  std::map<std::string, Reader, std::less<>> readers_;
  std::map<const RegistryLink*, Sources> sources_;
  // By registry and subject; not asked for yet.
  std::map<std::pair<std::string, RuleSubject>, dubbo::RuleTexts> remembered_;
  Alive alive_;
};

}  // namespace skiff::registry
