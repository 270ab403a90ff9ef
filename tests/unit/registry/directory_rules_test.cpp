// What becomes of rules: awaited, passed on with their lists, coalesced, frozen. The time is the
// test's.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "registry/directory.h"
#include "registry/limits.h"
#include "support/manual_executor.h"
#include "support/recording_sink.h"

namespace skiff::registry {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;
using testing::SizeIs;

const std::string kDemo = "com.example.DemoService";
const RuleSubject kUrls = RuleSubject::urls_of(kDemo);
const RuleSubject kService = RuleSubject::documents_of(kDemo, "", "");
const RuleSubject kConsumer = RuleSubject::documents_of("caller");
const RuleSubject kProvider = RuleSubject::documents_of("shop");
const std::string kTags = "shop.tag-router";

class NoProbe final : public ProviderProbe {
 public:
  void probe(const std::string& /*address*/, const std::set<std::string>& /*services*/,
             Callback /*done*/) override {}
};

// The link's registry is never started; the test says what it holds.
class DirectoryRules : public testing::Test, private RegistryLinkEvents {
 protected:
  DirectoryRules() { directory_.add_interest(*link_, kDemo); }

  static std::vector<dubbo::Url> providers(int count) {
    std::vector<dubbo::Url> list;
    for (int number = 1; number <= count; ++number) {
      list.push_back(*dubbo::Url::parse("dubbo://10.0.0." + std::to_string(number) + ":20880/" +
                                        kDemo + "?application=shop"));
    }
    return list;
  }
  void list(int count) { directory_.set_providers(*link_, kDemo, providers(count)); }
  void say(const RuleSubject& subject, const dubbo::RuleTexts& texts = {},
           std::optional<std::chrono::steady_clock::time_point> told_at = {}) {
    rules_.on_rules(*link_, subject, {.texts = texts, .unread = {}, .told_at = told_at});
  }
  void say_tags(const std::string& text,
                std::optional<std::chrono::steady_clock::time_point> told_at = {}) {
    say(kProvider, {{}, {{kTags, text}}}, told_at);
  }
  // With a list of two, and no rules.
  void report() {
    for (const RuleSubject& subject : {kUrls, kService, kConsumer}) say(subject);
    list(2);
    say(kProvider);
    executor_.advance(kRebuildPause);
  }
  int reports() { return sink_.reports[kDemo]; }

  void on_link_changed(RegistryLink& /*link*/) override {}
  void on_registered(RegistryLink& /*link*/, const dubbo::Url& /*url*/) override {}
  void on_register_failed(RegistryLink& /*link*/, const dubbo::Url& /*url*/,
                          const Error& /*error*/) override {}
  void on_unregistered(RegistryLink& /*link*/, const dubbo::Url& /*url*/) override {}
  void on_providers(RegistryLink& /*link*/, const std::string& /*interface*/,
                    const std::vector<dubbo::Url>& /*providers*/) override {}

  ManualExecutor executor_;
  HostResolver resolver_{executor_};
  NoStateStore store_;
  const AdvertiseSpec advertise_ = *parse_advertise("10.0.0.5");
  RegistryLinkContext context_{.executor = executor_,
                               .resolver = resolver_,
                               .events = *this,
                               .store = store_,
                               .advertise = advertise_,
                               .inbound_port = 20882};
  std::unique_ptr<RegistryLink> link_ =
      std::move(*RegistryLink::open("zookeeper://127.0.0.1:1", context_));
  RecordingSink sink_;
  RegistryMetrics metrics_;
  NoProbe probe_;
  ListProtection protection_{.check_interval = milliseconds(0)};
  InterfaceConsumers consumers_{
      .identity = {.application = "caller", .host = {}, .parameters = {{"dubbo.tag", "gray"}}},
      .services = {{kDemo, "", ""}},
      .applications = {"caller"}};
  RuleBook rules_{executor_, store_, metrics_, [this](const std::string& reader, auto told_at) {
                    directory_.on_rules_changed(reader, told_at);
                  }};
  Directory directory_{sink_,    executor_, probe_, protection_,
                       metrics_, store_,    rules_, [this](const auto&) { return consumers_; }};
};

TEST_F(DirectoryRules, AreAwaitedBeforeTheFirstReport) {
  list(2);
  for (const RuleSubject& subject : {kUrls, kService, kConsumer}) {
    say(subject);
    EXPECT_EQ(reports(), 0);
    EXPECT_FALSE(directory_.is_in_hand(*link_, kDemo));
  }
  say_tags("tags: []");
  EXPECT_EQ(reports(), 1);
  EXPECT_TRUE(directory_.is_in_hand(*link_, kDemo));
  EXPECT_THAT(sink_.services[kDemo], SizeIs(2));
  EXPECT_THAT(sink_.rules[kDemo].documents, ElementsAre(Pair(kTags, "tags: []")));
  executor_.advance(2 * kRulesWait);
  EXPECT_EQ(reports(), 1);
}

TEST_F(DirectoryRules, ThatComeBeforeTheListAreReportedWithIt) {
  for (const RuleSubject& subject : {kUrls, kService, kConsumer}) say(subject);
  say(kUrls, {{"override://a"}, {}});
  list(0);
  EXPECT_EQ(reports(), 1);
  EXPECT_THAT(sink_.rules[kDemo].urls, ElementsAre("override://a"));
}

TEST_F(DirectoryRules, AreNotAwaitedForLongerThanASecondAfterTheList) {
  executor_.advance(10 * kRulesWait);
  list(2);
  executor_.advance(kRulesWait - milliseconds(1));
  EXPECT_EQ(reports(), 0);
  executor_.advance(milliseconds(1));
  EXPECT_EQ(reports(), 1);
  say_tags("late");
  executor_.advance(kRebuildPause);
  EXPECT_EQ(reports(), 2);
  EXPECT_THAT(sink_.rules[kDemo].documents, ElementsAre(Pair(kTags, "late")));
}

TEST_F(DirectoryRules, ThatCannotBeReadAreNotAwaited) {
  list(2);
  for (const RuleSubject& subject : {kUrls, kService, kConsumer, kProvider}) {
    rules_.on_rules_failed(*link_, subject, {ErrorCode::kUnavailable, "no authority"});
  }
  EXPECT_EQ(reports(), 1);
}

TEST_F(DirectoryRules, AreReportedAtOnceWhenTheyChangeAndThenOnceAPause) {
  report();
  const auto told_at = executor_.now();
  say_tags("one", told_at);
  EXPECT_EQ(reports(), 2);
  EXPECT_THAT(sink_.told[kDemo], ElementsAre(told_at));
  for (int i = 2; i <= 10; ++i) say_tags(std::to_string(i), told_at + milliseconds(i));
  EXPECT_EQ(reports(), 2);
  executor_.advance(kRebuildPause);
  EXPECT_EQ(reports(), 3);
  EXPECT_THAT(sink_.rules[kDemo].documents, ElementsAre(Pair(kTags, "10")));
  EXPECT_THAT(sink_.told[kDemo], ElementsAre(told_at, told_at + milliseconds(2)));
  say_tags("10");
  executor_.advance(kRebuildPause);
  EXPECT_EQ(reports(), 3) << "nothing has changed";
  say(kProvider);
  EXPECT_TRUE(sink_.rules[kDemo].empty());
}

TEST_F(DirectoryRules, OfAnApplicationConcernAllItsInterfaces) {
  report();
  directory_.add_interest(*link_, "com.example.Another");
  rules_.on_rules(*link_, RuleSubject::urls_of("com.example.Another"), {});
  directory_.set_providers(*link_, "com.example.Another", {providers(1)});
  executor_.advance(kRulesWait);
  say_tags("for both");
  executor_.advance(kRebuildPause);
  EXPECT_THAT(sink_.rules[kDemo].documents, SizeIs(1));
  EXPECT_THAT(sink_.rules["com.example.Another"].documents, SizeIs(1));
}

TEST_F(DirectoryRules, OfProvidersThatAreNewAreAwaitedToo) {
  report();
  std::vector<dubbo::Url> grown = providers(2);
  grown.push_back(*dubbo::Url::parse("dubbo://10.0.0.9:20880/" + kDemo + "?application=new"));
  directory_.set_providers(*link_, kDemo, grown);
  EXPECT_EQ(reports(), 1);
  rules_.on_rules(*link_, RuleSubject::documents_of("new"),
                  {.texts = {{}, {{"new.tag-router", "tags"}}}, .unread = {}, .told_at = {}});
  EXPECT_EQ(reports(), 2);
  EXPECT_THAT(sink_.services[kDemo], SizeIs(3));
  EXPECT_THAT(sink_.rules[kDemo].documents, ElementsAre(Pair("new.tag-router", "tags")));
}

TEST_F(DirectoryRules, StayAsTheyAreWhileTheyAreFrozen) {
  report();
  say_tags("before");
  executor_.advance(kRebuildPause);
  directory_.freeze();
  rules_.freeze();
  say_tags("meanwhile", executor_.now());
  executor_.advance(kRebuildPause);
  EXPECT_EQ(reports(), 2);
  EXPECT_TRUE(directory_.status(kDemo)->has_waiting_change);
  directory_.report_again(kDemo);
  EXPECT_THAT(sink_.rules[kDemo].documents, ElementsAre(Pair(kTags, "before")));
  rules_.unfreeze();
  directory_.unfreeze();
  executor_.advance(kRebuildPause);
  EXPECT_THAT(sink_.rules[kDemo].documents, ElementsAre(Pair(kTags, "meanwhile")));
  EXPECT_FALSE(directory_.status(kDemo)->has_waiting_change);
  EXPECT_THAT(sink_.told[kDemo], IsEmpty()) << "it waited for the end of the freeze";
}

TEST_F(DirectoryRules, ComeWithTheConsumerThatTheyAreReadFor) {
  report();
  EXPECT_EQ(sink_.consumers[kDemo].application, "caller");
  EXPECT_EQ(sink_.consumers[kDemo].host, "");
  say_tags("tags: []");
  link_->start();
  executor_.run();
  ASSERT_TRUE(link_->advertised());
  directory_.on_address_known(*link_);
  EXPECT_EQ(sink_.consumers[kDemo].host, "10.0.0.5");
  EXPECT_THAT(sink_.consumers[kDemo].parameters, ElementsAre(Pair("dubbo.tag", "gray")));
  EXPECT_EQ(reports(), 3);
  directory_.on_address_known(*link_);
  EXPECT_EQ(reports(), 3);

  consumers_.identity.application = "another";
  consumers_.applications = {"another"};
  directory_.on_consumers_changed(kDemo, true);
  EXPECT_EQ(sink_.consumers[kDemo].application, "another");
}

TEST_F(DirectoryRules, AreNotReadAnyMoreWhereNobodyIsInterested) {
  report();
  say_tags("tags: []");
  directory_.drop_interest(*link_, kDemo);
  EXPECT_THAT(rules_.saved(), IsEmpty());
  rules_.on_rules(*link_, kProvider, {});
  EXPECT_THAT(sink_.gone, ElementsAre(kDemo));
}

// With the list goes what was in use with it, before the registry has said anything.
TEST_F(DirectoryRules, OfAnEarlierProcessAreInUseAtOnce) {
  directory_.drop_interest(*link_, kDemo);
  rules_.remember({{link_->identity(), kProvider, {{}, {{kTags, "tags: []"}}}}});
  directory_.remember({{link_->identity(), kDemo, listed(providers(2))}});
  directory_.add_interest(*link_, kDemo);
  EXPECT_THAT(sink_.services[kDemo], SizeIs(2));
  EXPECT_THAT(sink_.rules[kDemo].documents, ElementsAre(Pair(kTags, "tags: []")));
  say(kProvider);
  executor_.advance(kRebuildPause);
  EXPECT_TRUE(sink_.rules[kDemo].empty());
}

}  // namespace
}  // namespace skiff::registry
