// Governance rules from a real registry to where they are used.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "support/eventually.h"
#include "support/plane_on_thread.h"
#include "support/zookeeper_client.h"
#include "support/zookeeper_server.h"

namespace skiff::registry {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

const std::string kDemo = "com.example.DemoService";
const std::string kConfig = "/dubbo/config/dubbo/";
const std::string kConditions = kDemo + "::.condition-router";
const std::string kConfigurators = kDemo + "::.configurators";

class ControlPlaneRules : public testing::Test {
 protected:
  static bool wait_document(PlaneOnThread& plane, const std::string& key, const std::string& text) {
    return plane.wait_until([&](const ControlPlane&, const RecordingSink& sink) {
      const auto rules = sink.rules.find(kDemo);
      if (rules == sink.rules.end()) return false;
      const auto found = rules->second.documents.find(key);
      return text.empty() ? found == rules->second.documents.end()
                          : found != rules->second.documents.end() && found->second == text;
    });
  }
  // Its documents are the weight.
  static dubbo::Url weighted(const dubbo::Url& provider, const dubbo::RuleTexts& rules) {
    dubbo::Url result = provider;
    for (const auto& [key, text] : rules.documents) result.parameters["weight"] = text;
    return result;
  }
  std::vector<std::string> providers() {
    return client_.children("/dubbo/com.example.DemoService/providers");
  }

  ZookeeperServer server_;
  ZookeeperClient client_{server_.address()};
};

TEST_F(ControlPlaneRules, ComeWithTheFirstListAndFollowTheRegistry) {
  client_.write(kConfig + kConditions, "one");
  PlaneOnThread plane({server_.url()});
  EXPECT_EQ(plane.subscribe(kDemo)->state, VerbState::kSubscribed);
  plane.call([&] {
    EXPECT_EQ(plane.sink().reports[kDemo], 1);
    EXPECT_EQ(plane.sink().rules[kDemo].documents.at(kConditions), "one");
    EXPECT_EQ(plane.sink().consumers[kDemo].application, "skiff");
    EXPECT_EQ(plane.sink().consumers[kDemo].host, "127.0.0.1");
  });
  client_.write(kConfig + kConditions, "two");
  EXPECT_TRUE(wait_document(plane, kConditions, "two"));
  plane.call([&] { EXPECT_THAT(plane.sink().told[kDemo], SizeIs(1)); });
  client_.remove(kConfig + kConditions);
  EXPECT_TRUE(wait_document(plane, kConditions, ""));
}

TEST_F(ControlPlaneRules, OfTheProvidersApplicationAreReadWhenThereIsOne) {
  client_.write(kConfig + "skiff.tag-router", "tags: []");
  PlaneOnThread plane({server_.url()});
  ASSERT_EQ(plane.subscribe(kDemo)->state, VerbState::kSubscribed);
  plane.call([&] { EXPECT_TRUE(plane.sink().rules[kDemo].empty()); });
  ASSERT_EQ(plane.publish(kDemo)->state, VerbState::kRegistered);
  EXPECT_TRUE(wait_document(plane, "skiff.tag-router", "tags: []"));
}

TEST_F(ControlPlaneRules, OfTheFirstRegistryCount) {
  ZookeeperServer second;
  ZookeeperClient client(second.address());
  client_.write(kConfig + kConditions, "first");
  client.write(kConfig + kConditions, "second");
  PlaneOnThread plane({server_.url(), second.url()});
  ASSERT_EQ(plane.subscribe(kDemo)->state, VerbState::kSubscribed);
  EXPECT_TRUE(wait_document(plane, kConditions, "first"));
  client_.remove(kConfig + kConditions);
  EXPECT_TRUE(wait_document(plane, kConditions, "second"));
}

TEST_F(ControlPlaneRules, StayWhileTheRegistryIsAway) {
  client_.write(kConfig + kConditions, "one");
  PlaneOnThread plane({server_.url()});
  ASSERT_EQ(plane.subscribe(kDemo)->state, VerbState::kSubscribed);
  ASSERT_TRUE(wait_document(plane, kConditions, "one"));
  server_.stop();
  ASSERT_TRUE(plane.wait_until([](const ControlPlane& control, const RecordingSink&) {
    return !control.registries()[0].connected;
  }));
  EXPECT_TRUE(wait_document(plane, kConditions, "one"));
}

TEST_F(ControlPlaneRules, ChangeWhatIsPublished) {
  client_.write(kConfig + kConfigurators, "10");
  PlaneOnThread plane({server_.url()});
  plane.call([&] { plane.sink().govern = weighted; });
  const auto published = plane.publish(kDemo);
  ASSERT_EQ(published->state, VerbState::kRegistered);
  EXPECT_THAT(published->url, HasSubstr("weight=10"));
  EXPECT_THAT(providers(), SizeIs(1));
  client_.write(kConfig + kConfigurators, "20");
  EXPECT_TRUE(eventually([this] {
    const std::vector<std::string> now = providers();
    return now.size() == 1 && now[0].find("weight%3D20") != std::string::npos;
  }));
  EXPECT_EQ(plane.unpublish(kDemo)->state, VerbState::kUnregistered);
  EXPECT_THAT(providers(), testing::IsEmpty());
}

}  // namespace
}  // namespace skiff::registry
