#include "registry/rule_book.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "registry/limits.h"
#include "registry/rule_needs.h"
#include "support/manual_executor.h"

namespace skiff::registry {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;
using testing::UnorderedElementsAre;

const std::string kReader = "com.example.DemoService";
const RuleSubject kUrls = RuleSubject::urls_of(kReader);
const RuleSubject kApplication = RuleSubject::documents_of("shop");
const std::string kConditions = "shop.condition-router";
const std::string kTags = "shop.tag-router";

ReportedRules document(const std::string& key, const std::string& text) {
  return {.texts = {{}, {{key, text}}}, .unread = {}, .told_at = {}};
}
ReportedRules urls(std::vector<std::string> urls) {
  return {.texts = {std::move(urls), {}}, .unread = {}, .told_at = {}};
}

// Remembers what is watched, and says nothing.
class SilentRegistry final : public Registry {
 public:
  explicit SilentRegistry(std::string name) : name_(std::move(name)) {}
  void start() override {}
  void register_url(const dubbo::Url& /*url*/) override {}
  void unregister_url(const dubbo::Url& /*url*/) override {}
  void watch(const std::string& /*interface*/) override {}
  void unwatch(const std::string& /*interface*/) override {}
  void watch_rules(const RuleSubject& subject) override { watched.insert(subject); }
  void unwatch_rules(const RuleSubject& subject) override { watched.erase(subject); }
  std::string name() const override { return name_; }
  bool connected() const override { return true; }
  std::string server_address() const override { return {}; }

  std::set<RuleSubject> watched;

 private:
  const std::string name_;
};

class CountingStore final : public StateStore {
 public:
  void on_state_changed() override {}
  void when_stored(std::function<void()> done) override { done(); }
  void on_list(const std::string& /*registry*/, const std::string& /*interface*/,
               const ListedProviders& /*providers*/) override {}
  void on_rules_changed() override { ++changes; }

  int changes = 0;
};

class RuleBookTest : public testing::Test, private RegistryLinkEvents {
 protected:
  void read(const std::vector<RegistryLink*>& links,
            std::uint8_t documents = kConditionRouter | kTagRouter) {
    book_.set_reader(kReader, links, {{kUrls, kNoDocuments}, {kApplication, documents}});
  }
  void read() { read({first_.get()}); }
  SilentRegistry& registry(const std::unique_ptr<RegistryLink>& link) {
    return dynamic_cast<SilentRegistry&>(link->registry());
  }

  void on_link_changed(RegistryLink& /*link*/) override {}
  void on_registered(RegistryLink& /*link*/, const dubbo::Url& /*url*/) override {}
  void on_register_failed(RegistryLink& /*link*/, const dubbo::Url& /*url*/,
                          const Error& /*error*/) override {}
  void on_unregistered(RegistryLink& /*link*/, const dubbo::Url& /*url*/) override {}
  void on_providers(RegistryLink& /*link*/, const std::string& /*interface*/,
                    const std::vector<dubbo::Url>& /*providers*/) override {}

  ManualExecutor executor_;
  HostResolver resolver_{executor_};
  CountingStore store_;
  AdvertiseSpec advertise_;
  RegistryLinkContext context_{
      .executor = executor_,
      .resolver = resolver_,
      .events = *this,
      .store = store_,
      .advertise = advertise_,
      .inbound_port = 20882,
      .open = [](const std::string& address, Executor&, RegistryEvents&,
                 const RegistryOptions&) -> Result<std::unique_ptr<Registry>> {
        return std::make_unique<SilentRegistry>(address);
      }};
  std::unique_ptr<RegistryLink> first_ = std::move(*RegistryLink::open("memory", context_));
  std::unique_ptr<RegistryLink> second_ =
      std::move(*RegistryLink::open("zookeeper://10.0.0.9:2181", context_));
  RegistryMetrics metrics_;
  std::vector<std::string> changes_;
  RuleBook book_{executor_, store_, metrics_,
                 [this](const std::string& reader, auto) { changes_.push_back(reader); }};
};

TEST_F(RuleBookTest, WaitsForEveryRegistryAndSubject) {
  read({first_.get(), second_.get()});
  EXPECT_THAT(registry(first_).watched, UnorderedElementsAre(kUrls, kApplication));
  for (RegistryLink* link : {first_.get(), second_.get()}) {
    EXPECT_FALSE(book_.await(kReader));
    book_.on_rules(*link, kUrls, {});
    EXPECT_FALSE(book_.await(kReader));
    book_.on_rules(*link, kApplication, {});
  }
  EXPECT_TRUE(book_.await(kReader));
  EXPECT_THAT(changes_, testing::SizeIs(4));
}

TEST_F(RuleBookTest, WaitsNoLongerThanItsTime) {
  read();
  EXPECT_FALSE(book_.await(kReader));
  executor_.advance(kRulesWait - milliseconds(1));
  EXPECT_THAT(changes_, IsEmpty());
  executor_.advance(milliseconds(1));
  EXPECT_THAT(changes_, ElementsAre(kReader));
  EXPECT_TRUE(book_.await(kReader));
}

TEST_F(RuleBookTest, WaitsNotForWhatCannotBeRead) {
  read();
  book_.on_rules(*first_, kUrls, urls({"override://a"}));
  book_.on_rules_failed(*first_, kApplication, {ErrorCode::kUnavailable, "no authority"});
  EXPECT_TRUE(book_.await(kReader));
  EXPECT_THAT(book_.rules(kReader).urls, ElementsAre("override://a"));
  EXPECT_EQ(metrics_.rule_failures, 1U);
}

TEST_F(RuleBookTest, MergesTheUrlsOfAllRegistriesAndTakesADocumentFromTheFirst) {
  read({first_.get(), second_.get()});
  book_.on_rules(*second_, kUrls, urls({"override://a", "override://c"}));
  book_.on_rules(*first_, kUrls, urls({"override://a", "override://b"}));
  book_.on_rules(*second_, kApplication, document(kConditions, "second"));
  EXPECT_THAT(book_.rules(kReader).urls,
              ElementsAre("override://a", "override://b", "override://c"));
  EXPECT_THAT(book_.rules(kReader).documents, ElementsAre(Pair(kConditions, "second")));
  book_.on_rules(*first_, kApplication, document(kConditions, "first"));
  EXPECT_THAT(book_.rules(kReader).documents, ElementsAre(Pair(kConditions, "first")));
  book_.on_rules(*first_, kApplication, {});
  EXPECT_THAT(book_.rules(kReader).documents, ElementsAre(Pair(kConditions, "second")));
}

TEST_F(RuleBookTest, GivesAReaderTheKindsOfDocumentsThatItNeeds) {
  read({first_.get()}, kConditionRouter);
  book_.on_rules(*first_, kApplication, {});
  const auto revision = book_.revision(kReader);
  book_.on_rules(*first_, kApplication, document(kTags, "tags"));
  EXPECT_TRUE(book_.rules(kReader).empty());
  EXPECT_EQ(book_.revision(kReader), revision);
  read();
  EXPECT_THAT(book_.rules(kReader).documents, ElementsAre(Pair(kTags, "tags")));
  EXPECT_NE(book_.revision(kReader), revision);
}

TEST_F(RuleBookTest, TellsAllReadersOfAChangeAndNobodyWhereThereIsNone) {
  read();
  book_.set_reader("another", {first_.get()}, {{kApplication, kConditionRouter}});
  book_.on_rules(*first_, kApplication, {});
  changes_.clear();
  book_.on_rules(*first_, kApplication, document(kConditions, "one"));
  EXPECT_THAT(changes_, UnorderedElementsAre(kReader, "another"));
  changes_.clear();
  const auto revision = book_.revision(kReader);
  book_.on_rules(*first_, kApplication, document(kConditions, "one"));
  EXPECT_THAT(changes_, IsEmpty());
  EXPECT_EQ(book_.revision(kReader), revision);
}

TEST_F(RuleBookTest, KeepsWhatCannotBeReadAnyMore) {
  read();
  book_.on_rules(*first_, kApplication, document(kConditions, "one"));
  ReportedRules reported = document(kTags, "tags");
  reported.unread = {kConditions};
  book_.on_rules(*first_, kApplication, reported);
  EXPECT_THAT(book_.rules(kReader).documents,
              ElementsAre(Pair(kConditions, "one"), Pair(kTags, "tags")));
}

TEST_F(RuleBookTest, StopsReadingWhatNobodyNeeds) {
  read();
  book_.set_reader("another", {first_.get()}, {{kApplication, kConditionRouter}});
  book_.on_rules(*first_, kApplication, document(kConditions, "one"));
  book_.drop_reader(kReader);
  EXPECT_THAT(registry(first_).watched, ElementsAre(kApplication));
  const int changes = store_.changes;
  book_.drop_reader("another");
  EXPECT_THAT(registry(first_).watched, IsEmpty());
  EXPECT_EQ(store_.changes, changes + 1);
  EXPECT_THAT(book_.saved(), IsEmpty());
}

TEST_F(RuleBookTest, ChangesNothingThatIsKnownWhileItIsFrozen) {
  read();
  book_.on_rules(*first_, kApplication, document(kConditions, "one"));
  book_.freeze();
  book_.on_rules(*first_, kApplication, document(kConditions, "two"));
  book_.on_rules(*first_, kApplication, document(kConditions, "three"));
  book_.on_rules(*first_, kUrls, urls({"override://first"}));
  EXPECT_THAT(book_.rules(kReader).documents, ElementsAre(Pair(kConditions, "one")));
  EXPECT_THAT(book_.rules(kReader).urls, ElementsAre("override://first"));
  changes_.clear();
  book_.unfreeze();
  EXPECT_THAT(book_.rules(kReader).documents, ElementsAre(Pair(kConditions, "three")));
  EXPECT_THAT(changes_, ElementsAre(kReader));
}

TEST_F(RuleBookTest, GoesOnWithTheRulesOfAnEarlierProcessUntilTheRegistrySaysOtherwise) {
  read();
  book_.on_rules(*first_, kApplication, document(kConditions, "one"));
  book_.on_rules(*first_, kUrls, urls({"override://a"}));
  const std::vector<SavedRules> saved = book_.saved();
  EXPECT_THAT(saved, testing::SizeIs(2));

  std::vector<std::string> changes;
  RuleBook later(executor_, store_, metrics_,
                 [&](const std::string& reader, auto) { changes.push_back(reader); });
  later.remember(saved);
  EXPECT_EQ(later.saved(), saved);
  later.set_reader(kReader, {first_.get()},
                   {{kUrls, kNoDocuments}, {kApplication, kConditionRouter}});
  EXPECT_EQ(later.rules(kReader), book_.rules(kReader));
  EXPECT_FALSE(later.await(kReader)) << "the registry has not said anything";
  later.on_rules_failed(*first_, kUrls, {ErrorCode::kUnavailable, "no authority"});
  later.on_rules(*first_, kApplication, {});
  EXPECT_THAT(later.rules(kReader).urls, ElementsAre("override://a"));
  EXPECT_THAT(later.rules(kReader).documents, IsEmpty());
}

TEST_F(RuleBookTest, ForgetsTheRulesOfAnEarlierProcessThatNobodyNeeds) {
  book_.remember({{first_->identity(), kApplication, {{}, {{kConditions, "one"}}}}});
  executor_.advance(kRememberedListExpiry);
  EXPECT_THAT(book_.saved(), IsEmpty());
  EXPECT_EQ(store_.changes, 1);
}

ListedProvider provider(const std::string& parameters) {
  return ListedProvider(*dubbo::Url::parse("dubbo://10.0.0.1:20880/" + kReader + "?" + parameters));
}

TEST(RuleNeedsOf, AnInterfaceAreThoseOfItsServicesConsumersAndProviders) {
  const ListedProviders providers = {provider("application=shop&version=1.0&group=g"),
                                     provider("application=shop&version=0.0.0"),
                                     provider("application=caller")};
  const InterfaceConsumers consumers{
      .identity = {},
      .services = {{kReader, "", "2.0"}, {kReader, "*", "3.0"}, {kReader, "a,b", ""}},
      .applications = {"caller"}};
  constexpr int kOfService = kConfigurators | kConditionRouter | kScriptRouter;
  constexpr int kOfProvider = kTagRouter | kConditionRouter | kMeshAppRule;
  const auto need = [](RuleSubject subject, int documents) {
    return RuleNeed{std::move(subject), static_cast<std::uint8_t>(documents)};
  };
  EXPECT_THAT(rule_needs_of(kReader, providers, consumers).needs,
              UnorderedElementsAre(
                  need(kUrls, 0), need(RuleSubject::documents_of(kReader + "::"), kOfService),
                  need(RuleSubject::documents_of(kReader + ":1.0:g"), kOfService),
                  need(RuleSubject::documents_of(kReader + ":2.0:"), kOfService),
                  need(RuleSubject::documents_of("shop"), kOfProvider),
                  need(RuleSubject::documents_of("caller"), kOfService | kOfProvider)));
}

TEST(RuleNeedsOf, AnInterfaceAreBounded) {
  ListedProviders providers;
  for (int i = 0; i < 1'000; ++i)
    providers.push_back(provider("application=a" + std::to_string(i)));
  const RuleNeeds read = rule_needs_of(kReader, providers, {});
  EXPECT_THAT(read.needs, testing::SizeIs(kMaxRuleSubjectsPerInterface));
  EXPECT_TRUE(read.are_more);
}

TEST(DocumentKey, IsASubjectAndAKind) {
  const auto key = parse_document_key("com.example.Demo:1.0:g.condition-router");
  ASSERT_TRUE(key);
  EXPECT_EQ(key->subject, "com.example.Demo:1.0:g");
  EXPECT_EQ(key->kind, kConditionRouter);
  EXPECT_EQ(parse_document_key("shop.MESHAPPRULE")->kind, kMeshAppRule);
  for (const char* other : {"dubbo.properties", "shop.migration", "shop", ""}) {
    EXPECT_FALSE(parse_document_key(other)) << other;
  }
}

}  // namespace
}  // namespace skiff::registry
