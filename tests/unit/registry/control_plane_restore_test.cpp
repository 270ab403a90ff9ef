// What a control plane leaves to its successor, and what that makes of it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>

#include "registry/control_plane.h"
#include "registry/limits.h"
#include "registry/registry_identity.h"
#include "registry/saved_state.h"
#include "support/manual_executor.h"
#include "support/manual_store.h"
#include "support/recording_sink.h"

namespace skiff::registry {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr std::chrono::milliseconds kWait{3000};
const std::string kDemo = "com.example.DemoService";

// An agent's control plane with the embedded registry, as often as the test starts one.
class Restore : public testing::Test {
 protected:
  void create(const std::vector<std::string>& registries = {}) {
    plane_.reset();
    sink_ = RecordingSink();
    config_.registries = registries;
    auto created = ControlPlane::create(config_, executor_, sink_, &store_);
    ASSERT_TRUE(created) << created.error().message;
    plane_ = std::move(*created);
  }
  void restart(const SavedState& state, const std::vector<SavedList>& lists = {},
               const std::vector<std::string>& registries = {}) {
    create(registries);
    plane_->restore(state, lists, {});
    plane_->start();
    executor_.run();
  }

  Result<VerbOutcome> publish(const PublicationRequest& request) {
    return answer([&](VerbCallback done) { plane_->publish(request, kWait, std::move(done)); });
  }
  Result<VerbOutcome> subscribe(const std::string& interface) {
    SubscriptionRequest request;
    request.service.interface = interface;
    return answer([&](VerbCallback done) { plane_->subscribe(request, kWait, std::move(done)); });
  }
  Result<VerbOutcome> unpublish(const std::string& interface) {
    return answer([&](VerbCallback done) {
      plane_->unpublish({interface, "", ""}, 0, kWait, std::move(done));
    });
  }
  template <typename Verb>
  Result<VerbOutcome> answer(Verb verb) {
    auto answer = std::make_shared<std::optional<Result<VerbOutcome>>>();
    verb([answer](Result<VerbOutcome> outcome) { *answer = std::move(outcome); });
    executor_.run();
    return *answer ? **answer : fail(ErrorCode::kTimeout, "not answered yet");
  }
  static PublicationRequest publication(const std::string& interface) {
    PublicationRequest request;
    request.service.interface = interface;
    request.methods = {"sayHello"};
    request.check.type = HealthCheck::Type::kNone;
    return request;
  }
  // After a quiet time: a list changes once in a pause at most.
  std::vector<std::string> listed(const std::string& interface) {
    executor_.advance(kRebuildPause);
    return listed_now(interface);
  }
  std::vector<std::string> listed_now(const std::string& interface) {
    std::vector<std::string> urls;
    for (const dubbo::Url& url : sink_.services[interface]) urls.push_back(url.to_string());
    return urls;
  }

  ControlPlaneConfig config_{.registries = {}, .advertise = "10.0.0.5"};
  ManualExecutor executor_;
  RecordingSink sink_;
  ManualStore store_;
  std::unique_ptr<ControlPlane> plane_;
};

TEST_F(Restore, KeepsWhatWasPublishedAndSubscribedWithTheSameUrl) {
  restart({});
  const std::string url = publish(publication(kDemo))->url;
  ASSERT_TRUE(subscribe(kDemo));
  const SavedState state = plane_->state();
  restart(state);
  EXPECT_THAT(listed(kDemo), ElementsAre(url));
  EXPECT_THAT(plane_->publications(), SizeIs(1));
  EXPECT_THAT(plane_->subscriptions(), SizeIs(1));
  EXPECT_THAT(sink_.local_services, SizeIs(1));
  EXPECT_EQ(plane_->state(), state);
  EXPECT_EQ(publish(publication(kDemo))->url, url) << "an unchanged request changes nothing";
}

TEST_F(Restore, ShowsWhatItKnowsBeforeARegistryAnswers) {
  restart({});
  const std::string url = publish(publication(kDemo))->url;
  ASSERT_TRUE(subscribe("com.example.Other"));
  const SavedState state = plane_->state();
  const std::string other = "dubbo://10.0.0.9:20880/com.example.Other?interface=com.example.Other";
  const std::vector<SavedList> lists = {
      {"memory", "com.example.Other", {ListedProvider(*dubbo::Url::parse(other))}}};
  create();
  plane_->restore(state, lists, {});
  ASSERT_THAT(plane_->publications(), SizeIs(1));
  EXPECT_EQ(plane_->publications()[0].url, url);
  EXPECT_FALSE(plane_->publications()[0].registered);
  ASSERT_THAT(plane_->subscriptions(), SizeIs(1));
  EXPECT_FALSE(plane_->subscriptions()[0].list_in_hand);
  EXPECT_THAT(listed_now("com.example.Other"), ElementsAre(other));
  // The registry's own list replaces what was remembered.
  plane_->start();
  executor_.run();
  EXPECT_THAT(listed("com.example.Other"), IsEmpty());
}

TEST_F(Restore, ServesRememberedListsOnDemandAndForgetsThemInTheEnd) {
  const ListedProvider url(*dubbo::Url::parse("dubbo://10.0.0.9:20880/a.B?x=1"));
  const std::string registry = "zookeeper://127.0.0.1:1";
  create({registry});
  const std::string identity = *registry_identity(registry);
  plane_->restore({}, {{identity, "a.B", {url}}, {identity, "a.C", {url}}}, {});
  plane_->need_service("a.B");
  EXPECT_THAT(sink_.services["a.B"], SizeIs(1));
  executor_.advance(kRememberedListExpiry);
  EXPECT_FALSE(store_.lists.contains("a.B"));
  EXPECT_TRUE(store_.lists.contains("a.C"));
  plane_->need_service("a.C");
  EXPECT_FALSE(sink_.services.contains("a.C"));
}

TEST_F(Restore, RoutesByTheLastKnownRulesWhileTheRegistryIsAway) {
  const ListedProvider url(*dubbo::Url::parse("dubbo://10.0.0.9:20880/a.B?application=shop"));
  const std::string registry = "zookeeper://127.0.0.1:1";
  const std::string identity = *registry_identity(registry);
  const std::vector<SavedRules> rules = {
      {identity, RuleSubject::urls_of("a.B"), {{"override://0.0.0.0/a.B?weight=5"}, {}}},
      {identity, RuleSubject::documents_of("shop"), {{}, {{"shop.tag-router", "tags: []"}}}}};
  create({registry});
  SavedState::Subscription subscription;
  subscription.request.service.interface = "a.B";
  subscription.request.application = "caller";
  SavedState state;
  state.subscriptions.push_back(subscription);
  plane_->restore(state, {{identity, "a.B", {url}}}, rules);
  EXPECT_THAT(sink_.services["a.B"], SizeIs(1));
  EXPECT_THAT(sink_.rules["a.B"].urls, ElementsAre("override://0.0.0.0/a.B?weight=5"));
  EXPECT_THAT(sink_.rules["a.B"].documents,
              ElementsAre(testing::Pair("shop.tag-router", "tags: []")));
  EXPECT_EQ(sink_.consumers["a.B"].application, "caller");
  EXPECT_EQ(plane_->rules(), rules) << "what a third process needs";
}

TEST_F(Restore, ReplacesAUrlThatTheConfigurationMakesAnother) {
  restart({});
  const std::string url = publish(publication(kDemo))->url;
  ASSERT_TRUE(subscribe(kDemo));
  const SavedState state = plane_->state();
  config_.inbound_port = 30882;
  restart(state);
  ASSERT_THAT(listed(kDemo), SizeIs(1));
  EXPECT_THAT(listed(kDemo)[0], testing::StartsWith("dubbo://10.0.0.5:30882/"));
  EXPECT_THAT(plane_->state().leaving, IsEmpty());
  ASSERT_THAT(plane_->state().publications, SizeIs(1));
  EXPECT_THAT(plane_->state().publications[0].written, SizeIs(1));
}

TEST_F(Restore, LeavesOutWhatIsNotAllowedAnyMore) {
  restart({});
  ASSERT_TRUE(publish(publication(kDemo)));
  SavedState state = plane_->state();
  state.publications.push_back(state.publications[0]);
  state.publications[1].request.service.interface = "com.example.Elsewhere";
  state.publications[1].request.registry = "zookeeper://10.9.9.9:2181";
  state.publications.push_back(state.publications[0]);
  state.publications[2].request.service.interface = "no interface";
  restart(state, {}, {"memory"});
  ASSERT_THAT(plane_->publications(), SizeIs(1));
  EXPECT_EQ(plane_->publications()[0].service.interface, kDemo);
}

TEST_F(Restore, WritesAndAnswersNothingThatIsNotStored) {
  restart({});
  ASSERT_TRUE(subscribe(kDemo));
  store_.holds = true;
  const int changes = store_.changes;
  auto answered = std::make_shared<bool>(false);
  plane_->publish(publication(kDemo), kWait,
                  [answered](const Result<VerbOutcome>& /*outcome*/) { *answered = true; });
  executor_.run();
  EXPECT_GT(store_.changes, changes);
  EXPECT_THAT(plane_->state().publications, SizeIs(1)) << "it is to be stored";
  EXPECT_THAT(listed(kDemo), IsEmpty());
  EXPECT_FALSE(*answered);
  store_.release();
  executor_.run();
  EXPECT_THAT(listed(kDemo), SizeIs(1));
  EXPECT_TRUE(*answered);
}

TEST_F(Restore, DoesNotWriteWhatWasTakenBackBeforeItWasStored) {
  restart({});
  ASSERT_TRUE(subscribe(kDemo));
  store_.holds = true;
  plane_->publish(publication(kDemo), kWait, [](const Result<VerbOutcome>& /*outcome*/) {});
  plane_->unpublish({kDemo, "", ""}, 0, kWait, [](const Result<VerbOutcome>& /*outcome*/) {});
  store_.release();
  executor_.run();
  EXPECT_THAT(listed(kDemo), IsEmpty());
  EXPECT_EQ(plane_->state().publications, SavedState().publications);
}

TEST_F(Restore, RemembersOverAnOrderlyEndWhatWasThereBefore) {
  restart({});
  ASSERT_TRUE(publish(publication(kDemo)));
  const SavedState state = plane_->state();
  plane_->withdraw_all(kWait, [] {});
  executor_.run();
  EXPECT_THAT(plane_->publications(), IsEmpty());
  EXPECT_EQ(plane_->state(), state);
}

// Its session may still hold the nodes, so nothing is gone until the registry says so.
TEST_F(Restore, TakesBackInAnOutageOnlyWithTheRegistrysConsent) {
  const std::string registry = "zookeeper://127.0.0.1:1";
  restart({}, {}, {registry});
  ASSERT_TRUE(publish(publication(kDemo)).error().code == ErrorCode::kTimeout);
  ASSERT_TRUE(publish(publication("com.example.New")).error().code == ErrorCode::kTimeout);
  executor_.advance(kRulesWait);  // a registry that is away says nothing of rules
  SavedState state = plane_->state();
  ASSERT_THAT(state.publications, SizeIs(2));
  restart(state, {}, {registry});
  EXPECT_EQ(unpublish(kDemo).error().code, ErrorCode::kTimeout);
  state = plane_->state();
  ASSERT_THAT(state.leaving, SizeIs(1));
  restart(state, {}, {registry});
  EXPECT_EQ(plane_->state(), state) << "what is leaving goes on leaving";
}

// Its node stands in the registry, so consumers call it.
TEST_F(Restore, ServesWhatIsLeavingAsLongAsTheRegistryMayListIt) {
  const std::string registry = "zookeeper://127.0.0.1:1";
  restart({}, {}, {registry});
  ASSERT_TRUE(publish(publication(kDemo)).error().code == ErrorCode::kTimeout);
  ASSERT_TRUE(subscribe("com.example.Other").error().code == ErrorCode::kTimeout);
  executor_.advance(kRulesWait);
  restart(plane_->state(), {}, {registry});
  EXPECT_EQ(unpublish(kDemo).error().code, ErrorCode::kTimeout);
  const SavedState state = plane_->state();
  ASSERT_THAT(state.leaving, SizeIs(1));
  restart(state, {}, {registry});
  EXPECT_THAT(sink_.local_services, ElementsAre(LocalService{{kDemo, "", ""}, 20880}));
}

}  // namespace
}  // namespace skiff::registry
