// What a ZooKeeper registry reports of rules, against a real server.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "registry/limits.h"
#include "support/registry_on_thread.h"
#include "support/zookeeper_client.h"
#include "support/zookeeper_server.h"

namespace skiff::registry {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

const std::string kDemo = "com.example.DemoService";
const std::string kFolder = "/dubbo/com.example.DemoService";
const std::string kConfig = "/dubbo/config/dubbo";
const std::string kService = kDemo + "::";
const std::string kKey = kService + ".condition-router";
const std::string kOverride = "override://0.0.0.0/com.example.DemoService?timeout=1000";
const std::string kCondition = "condition://0.0.0.0/com.example.DemoService?rule=a=>b";
const RuleSubject kUrls = RuleSubject::urls_of(kDemo);
const RuleSubject kDocuments = RuleSubject::documents_of(kService);

std::string configurator(const std::string& url) {
  return kFolder + "/configurators/" + dubbo::url_encode(url);
}
std::string router(const std::string& url) {
  return kFolder + "/routers/" + dubbo::url_encode(url);
}
dubbo::RuleTexts urls(std::vector<std::string> urls) { return {std::move(urls), {}}; }
dubbo::RuleTexts document(const std::string& text, const std::string& key = kKey) {
  return {{}, {{key, text}}};
}

class ZookeeperRules : public testing::Test {
 protected:
  void start(const RegistryOptions& options = {}) {
    registry_ = std::make_unique<RegistryOnThread>(server_.url() + "?session=4000", options);
    registry_->watch_rules(kUrls);
    registry_->watch_rules(kDocuments);
  }
  bool wait(const RuleSubject& subject, const dubbo::RuleTexts& texts) {
    return registry_->wait_rules(subject, texts);
  }
  bool was_told(const RuleSubject& subject) {
    return registry_->record().rules[subject].told_at.has_value();
  }

  ZookeeperServer server_;
  ZookeeperClient client_{server_.address()};
  std::unique_ptr<RegistryOnThread> registry_;
};

TEST_F(ZookeeperRules, AreReportedAsEmptyWhereThereAreNone) {
  start();
  EXPECT_TRUE(wait(kUrls, {}));
  EXPECT_TRUE(wait(kDocuments, {}));
}

TEST_F(ZookeeperRules, OfBothKindsThatAreThereComeWithTheFirstReport) {
  client_.create_all(configurator(kOverride));
  client_.create_all(router(kCondition));
  client_.write(kConfig + "/" + kKey, "force: true");
  client_.write(kConfig + "/" + kService + ".tag-router", "unusual, but known");
  client_.write(kConfig + "/other.condition-router", "of somebody else");
  start();
  ASSERT_TRUE(wait(kUrls, urls({kCondition, kOverride})));
  ASSERT_TRUE(wait(
      kDocuments, {{}, {{kKey, "force: true"}, {kService + ".tag-router", "unusual, but known"}}}));
  EXPECT_EQ(registry_->record().rule_reports[kUrls], 1);
  EXPECT_EQ(registry_->record().rule_reports[kDocuments], 1);
  EXPECT_FALSE(was_told(kUrls));
}

TEST_F(ZookeeperRules, FollowUrlsThatComeAndGo) {
  start();
  ASSERT_TRUE(wait(kUrls, {}));
  client_.create_all(configurator(kOverride));
  ASSERT_TRUE(wait(kUrls, urls({kOverride})));
  EXPECT_TRUE(was_told(kUrls));
  client_.create_all(router(kCondition));
  ASSERT_TRUE(wait(kUrls, urls({kCondition, kOverride})));
  client_.remove(configurator(kOverride));
  ASSERT_TRUE(wait(kUrls, urls({kCondition})));
  EXPECT_TRUE(was_told(kUrls));
  client_.remove(router(kCondition));
  client_.remove(kFolder + "/routers");
  ASSERT_TRUE(wait(kUrls, {}));
  client_.create_all(router(kCondition));
  EXPECT_TRUE(wait(kUrls, urls({kCondition})));
}

TEST_F(ZookeeperRules, FollowADocumentThatIsCreatedChangedAndDeleted) {
  start();
  ASSERT_TRUE(wait(kDocuments, {}));
  client_.write(kConfig + "/" + kKey, "one");
  ASSERT_TRUE(wait(kDocuments, document("one")));
  EXPECT_TRUE(was_told(kDocuments));
  client_.write(kConfig + "/" + kKey, "two");
  ASSERT_TRUE(wait(kDocuments, document("two")));
  EXPECT_TRUE(was_told(kDocuments));
  client_.write(kConfig + "/" + kKey, "");
  ASSERT_TRUE(wait(kDocuments, {}));
  client_.write(kConfig + "/" + kKey, "three");
  ASSERT_TRUE(wait(kDocuments, document("three")));
  client_.remove(kConfig + "/" + kKey);
  ASSERT_TRUE(wait(kDocuments, {}));
  client_.write(kConfig + "/" + kKey, "four");
  EXPECT_TRUE(wait(kDocuments, document("four")));
}

TEST_F(ZookeeperRules, ThatChangedWhileTheServerWasAwayAreFound) {
  client_.create_all(configurator(kOverride));
  client_.write(kConfig + "/" + kKey, "before");
  start();
  ASSERT_TRUE(wait(kUrls, urls({kOverride})));
  ASSERT_TRUE(wait(kDocuments, document("before")));
  // Nobody can change what a server that is away holds: it comes back without its data.
  server_.stop();
  server_.wipe_data();
  server_.start();
  ASSERT_TRUE(wait(kUrls, {}));
  ASSERT_TRUE(wait(kDocuments, {}));
  ZookeeperClient client(server_.address());
  client.create_all(router(kCondition));
  client.write(kConfig + "/" + kKey, "after");
  EXPECT_TRUE(wait(kUrls, urls({kCondition})));
  EXPECT_TRUE(wait(kDocuments, document("after")));
}

TEST_F(ZookeeperRules, AreWatchedInANewSessionToo) {
  client_.create_all(configurator(kOverride));
  client_.write(kConfig + "/" + kKey, "before");
  start();
  ASSERT_TRUE(wait(kDocuments, document("before")));
  const dubbo::Url provider =
      *dubbo::Url::parse("dubbo://10.0.0.1:20882/com.example.Other?interface=com.example.Other");
  registry_->register_url(provider);
  ASSERT_TRUE(registry_->wait_registered(provider));
  const auto session =
      client_.owner("/dubbo/com.example.Other/providers/" + provider.to_node_name());
  ASSERT_TRUE(session);
  expire_session(server_.address(), *session);
  client_.write(kConfig + "/" + kKey, "meanwhile");
  client_.create(configurator(kOverride + "&weight=1"));
  ASSERT_TRUE(wait(kDocuments, document("meanwhile")));
  ASSERT_TRUE(wait(kUrls, urls({kOverride, kOverride + "&weight=1"})));
  ASSERT_TRUE(registry_->wait_until(
      [](const RegistryRecord& record) { return record.lost_sessions == 1 && record.connected; }));
  client_.write(kConfig + "/" + kKey, "after");
  EXPECT_TRUE(wait(kDocuments, document("after")));
}

TEST_F(ZookeeperRules, AreCheckedWithoutFindingWhatEventsTold) {
  start({.check_interval = std::chrono::milliseconds(10)});
  const std::string node = kConfig + "/" + kKey;
  for (int i = 1; i <= 20; ++i) {
    client_.write(node, std::to_string(i));
    ASSERT_TRUE(wait(kDocuments, document(std::to_string(i))));
  }
  EXPECT_EQ(registry_->record().deaf_watches, 0);
}

TEST_F(ZookeeperRules, ThatAreTooLargeStayAsTheyWere) {
  client_.write(kConfig + "/" + kKey, "small");
  start();
  ASSERT_TRUE(wait(kDocuments, document("small")));
  for (int i = 0; i <= static_cast<int>(kMaxRuleUrlsPerInterface); ++i) {
    client_.create_all(configurator(kOverride + std::to_string(i)));
  }
  ASSERT_TRUE(registry_->wait_until([](const RegistryRecord& record) {
    const auto failures = record.rule_failures.find(kUrls);
    return failures != record.rule_failures.end() &&
           record.rules.at(kUrls).texts.urls.size() == kMaxRuleUrlsPerInterface;
  }));
  EXPECT_THAT(registry_->record().rule_failures[kUrls], Contains(HasSubstr("over the limit")));
  EXPECT_TRUE(wait(kDocuments, document("small")));
}

TEST_F(ZookeeperRules, ThatNobodyNeedsAnyMoreAreNotReported) {
  start();
  ASSERT_TRUE(wait(kUrls, {}));
  ASSERT_TRUE(wait(kDocuments, {}));
  registry_->unwatch_rules(kUrls);
  registry_->unwatch_rules(kDocuments);
  client_.create_all(configurator(kOverride));
  client_.write(kConfig + "/" + kKey, "one");
  const RuleSubject other = RuleSubject::documents_of("demo-provider");
  client_.write(kConfig + "/demo-provider.tag-router", "tags: []");
  registry_->watch_rules(other);
  ASSERT_TRUE(wait(other, document("tags: []", "demo-provider.tag-router")));
  EXPECT_THAT(registry_->record().rule_reports, SizeIs(3));
  EXPECT_EQ(registry_->record().rule_reports[kUrls], 1);
  EXPECT_EQ(registry_->record().rule_reports[kDocuments], 1);
  registry_->watch_rules(kUrls);
  registry_->watch_rules(kDocuments);
  EXPECT_TRUE(wait(kUrls, urls({kOverride})));
  EXPECT_TRUE(wait(kDocuments, document("one")));
}

TEST_F(ZookeeperRules, OfManyInterfacesComeThoughOnlySoManyAreReadAtOnce) {
  constexpr int kInterfaces = 3 * static_cast<int>(kRulesReadAtOnce);
  const auto name = [](int i) { return "com.example.Many" + std::to_string(i); };
  client_.create_all("/dubbo/" + name(kInterfaces) + "/configurators/" +
                     dubbo::url_encode(kOverride));
  start();
  for (int i = 1; i <= kInterfaces; ++i) registry_->watch_rules(RuleSubject::urls_of(name(i)));
  EXPECT_TRUE(wait(RuleSubject::urls_of(name(kInterfaces)), urls({kOverride})));
  for (int i = 1; i < kInterfaces; ++i) EXPECT_TRUE(wait(RuleSubject::urls_of(name(i)), {}));
}

// The owner's folders can be read by nobody else.
TEST(ZookeeperRulesOfOthers, AreSaidToBeUnreadable) {
  ZookeeperServer server;
  RegistryOnThread owner("zookeeper://skiff:secret@" + server.address());
  const dubbo::Url provider =
      *dubbo::Url::parse("dubbo://10.0.0.1:20882/" + kDemo + "?interface=" + kDemo);
  owner.register_url(provider);
  ASSERT_TRUE(owner.wait_registered(provider));
  RegistryOnThread stranger(server.url());
  stranger.watch_rules(kUrls);
  ASSERT_TRUE(stranger.wait_until([](const RegistryRecord& record) {
    const auto failures = record.rule_failures.find(kUrls);
    return failures != record.rule_failures.end() && failures->second.size() > 1;
  }));
  EXPECT_THAT(stranger.record().rule_failures[kUrls], Contains(HasSubstr("not authenticated")));
  EXPECT_THAT(stranger.record().rules, IsEmpty());
}

}  // namespace
}  // namespace skiff::registry
