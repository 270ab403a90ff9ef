#include "registry/control_plane.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "registry/limits.h"
#include "support/manual_executor.h"
#include "support/recording_sink.h"

namespace skiff::registry {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr milliseconds kWait{3000};
const std::string kDemo = "com.example.DemoService";

class ControlPlaneTest : public testing::Test {
 protected:
  ControlPlaneTest() { open({}); }

  void open(std::vector<std::string> registries) {
    ControlPlaneConfig config;
    config.registries = std::move(registries);
    config.advertise = "10.0.0.5";
    auto created = ControlPlane::create(config, executor_, sink_);
    ASSERT_TRUE(created) << created.error().message;
    plane_ = std::move(*created);
    plane_->start();
    executor_.run();
  }

  static PublicationRequest publication(const std::string& interface, const std::string& group = "",
                                        const std::string& version = "") {
    PublicationRequest request;
    request.service = {interface, group, version};
    request.methods = {"sayHello"};
    request.check.type = HealthCheck::Type::kNone;  // nobody listens there
    return request;
  }

  static SubscriptionRequest subscription(const std::string& interface,
                                          const std::string& group = "",
                                          const std::string& version = "") {
    SubscriptionRequest request;
    request.service = {interface, group, version};
    return request;
  }

  // Each verb, after a quiet time, with the answer it gets without time passing.
  Result<VerbOutcome> publish(const PublicationRequest& request) {
    return answer([&](VerbCallback done) { plane_->publish(request, kWait, std::move(done)); });
  }
  Result<VerbOutcome> subscribe(const SubscriptionRequest& request) {
    return answer([&](VerbCallback done) { plane_->subscribe(request, kWait, std::move(done)); });
  }
  Result<VerbOutcome> unpublish(const dubbo::ServiceKey& service, std::uint16_t port = 0) {
    return answer(
        [&](VerbCallback done) { plane_->unpublish(service, port, kWait, std::move(done)); });
  }
  Result<VerbOutcome> unsubscribe(const dubbo::ServiceKey& service) {
    return answer([&](VerbCallback done) { plane_->unsubscribe(service, kWait, std::move(done)); });
  }

  template <typename Verb>
  Result<VerbOutcome> answer(Verb verb) {
    executor_.advance(kRebuildPause);
    std::optional<Result<VerbOutcome>> answer;
    verb([&answer](Result<VerbOutcome> outcome) {
      EXPECT_FALSE(answer) << "answered twice";
      answer = std::move(outcome);
    });
    executor_.run();
    return answer ? *answer : fail(ErrorCode::kTimeout, "not answered yet");
  }

  ManualExecutor executor_;
  RecordingSink sink_;
  std::unique_ptr<ControlPlane> plane_;
};

TEST_F(ControlPlaneTest, PublishesAProviderThatASubscriberFinds) {
  const auto published = publish(publication(kDemo));
  ASSERT_TRUE(published) << published.error().message;
  EXPECT_EQ(published->state, VerbState::kRegistered);
  EXPECT_THAT(published->url, HasSubstr("dubbo://10.0.0.5:20882/com.example.DemoService?anyhost="));

  const auto subscribed = subscribe(subscription(kDemo));
  ASSERT_TRUE(subscribed);
  EXPECT_EQ(subscribed->state, VerbState::kSubscribed);
  ASSERT_THAT(subscribed->providers, SizeIs(1));
  EXPECT_EQ(subscribed->providers[0].text(), published->url);
  EXPECT_THAT(sink_.services[kDemo], SizeIs(1));
}

TEST_F(ControlPlaneTest, KeepsTheExactUrlOfAnIdenticalPublication) {
  const auto first = publish(publication(kDemo));
  const auto second = publish(publication(kDemo));
  ASSERT_TRUE(first && second);
  EXPECT_EQ(second->state, VerbState::kRegistered);
  EXPECT_EQ(first->url, second->url);
}

TEST_F(ControlPlaneTest, WritesAChangedPublicationBeforeWithdrawingTheOldUrl) {
  subscribe(subscription(kDemo));
  publish(publication(kDemo));
  sink_.sizes.clear();
  PublicationRequest changed = publication(kDemo);
  changed.parameters["weight"] = "50";
  const auto published = publish(changed);
  ASSERT_TRUE(published);
  EXPECT_THAT(published->url, HasSubstr("&weight=50"));
  executor_.advance(kRebuildPause);
  ASSERT_THAT(sink_.services[kDemo], SizeIs(1));
  EXPECT_EQ(sink_.services[kDemo][0].to_string(), published->url);
  EXPECT_THAT(sink_.sizes[kDemo], testing::Each(testing::Ge(1U))) << "nobody to call for a moment";
  EXPECT_THAT(plane_->publications(), SizeIs(1));
}

TEST_F(ControlPlaneTest, WithdrawsAPublicationAndLetsTheLocalServiceLinger) {
  publish(publication(kDemo));
  subscribe(subscription(kDemo));
  EXPECT_THAT(sink_.local_services, ElementsAre(LocalService{{kDemo, "", ""}, 20880}));
  const auto withdrawn = unpublish({kDemo, "", ""});
  ASSERT_TRUE(withdrawn);
  EXPECT_EQ(withdrawn->state, VerbState::kUnregistered);
  EXPECT_THAT(sink_.services[kDemo], IsEmpty());
  EXPECT_THAT(sink_.local_services, SizeIs(1));
  executor_.advance(kLocalServiceLinger - milliseconds(1));
  EXPECT_THAT(sink_.local_services, SizeIs(1));
  executor_.advance(milliseconds(1));
  EXPECT_THAT(sink_.local_services, IsEmpty());
}

TEST_F(ControlPlaneTest, KeepsALocalServiceThatIsPublishedAgainWhileItLingers) {
  publish(publication(kDemo));
  unpublish({kDemo, "", ""});
  executor_.advance(seconds(10));
  publish(publication(kDemo));
  executor_.advance(seconds(60));
  EXPECT_THAT(sink_.local_services, SizeIs(1));
}

TEST_F(ControlPlaneTest, SaysWhatIsNotThereToTakeBack) {
  const auto unpublished = unpublish({kDemo, "g", "1.0.0"});
  ASSERT_FALSE(unpublished);
  EXPECT_EQ(unpublished.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(unpublished.error().message, HasSubstr("g/com.example.DemoService:1.0.0"));
  const auto unsubscribed = unsubscribe({kDemo, "", ""});
  ASSERT_FALSE(unsubscribed);
  EXPECT_EQ(unsubscribed.error().code, ErrorCode::kNotFound);
}

TEST_F(ControlPlaneTest, FindsTheOnlyPortOfAPublicationAndListsSeveral) {
  PublicationRequest request = publication(kDemo);
  request.port = 7001;
  publish(request);
  EXPECT_EQ(unpublish({kDemo, "", ""})->state, VerbState::kUnregistered);

  publish(request);
  request.port = 7002;
  publish(request);
  const auto unclear = unpublish({kDemo, "", ""});
  ASSERT_FALSE(unclear);
  EXPECT_EQ(unclear.error().code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(unclear.error().message, HasSubstr("7001, 7002"));
  const auto other = unpublish({kDemo, "", ""}, 7003);
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, ErrorCode::kNotFound);

  publish(publication(kDemo));  // at the configured port, which port 0 means
  EXPECT_EQ(unpublish({kDemo, "", ""})->state, VerbState::kUnregistered);
  EXPECT_THAT(plane_->publications(), SizeIs(2));
}

TEST_F(ControlPlaneTest, MatchesGroupsVersionsAndPatterns) {
  publish(publication(kDemo));
  publish(publication(kDemo, "g1", "1.0.0"));
  publish(publication(kDemo, "g2", "1.0.0"));
  publish(publication(kDemo, "g2", "2.0.0"));
  const auto count = [this](const std::string& group, const std::string& version) {
    return subscribe(subscription(kDemo, group, version))->providers.size();
  };
  EXPECT_EQ(count("", ""), 1U);
  EXPECT_EQ(count("", "0.0.0"), 1U);
  EXPECT_EQ(count("g1", "1.0.0"), 1U);
  EXPECT_EQ(count("g1", ""), 0U);
  EXPECT_EQ(count("g1,g2", "1.0.0"), 2U);
  EXPECT_EQ(count("g2", "*"), 2U);
  EXPECT_EQ(count("*", "*"), 4U);
}

TEST_F(ControlPlaneTest, RefusesPatternsInPublications) {
  EXPECT_EQ(publish(publication(kDemo, "*")).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(publish(publication(kDemo, "", "*")).error().code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(plane_->publications(), IsEmpty());
  EXPECT_THAT(sink_.local_services, IsEmpty());
}

TEST_F(ControlPlaneTest, HidesDisabledProviders) {
  PublicationRequest request = publication(kDemo);
  request.parameters["enabled"] = "false";
  publish(request);
  EXPECT_THAT(subscribe(subscription(kDemo))->providers, IsEmpty());
}

TEST_F(ControlPlaneTest, UnsubscribesAndForgetsTheService) {
  subscribe(subscription(kDemo));
  subscribe(subscription(kDemo, "g"));
  EXPECT_EQ(unsubscribe({kDemo, "", ""})->state, VerbState::kUnsubscribed);
  EXPECT_THAT(sink_.gone, IsEmpty());
  EXPECT_EQ(unsubscribe({kDemo, "g", ""})->state, VerbState::kUnsubscribed);
  EXPECT_THAT(sink_.gone, ElementsAre(kDemo));
  EXPECT_FALSE(plane_->service(kDemo));
}

TEST_F(ControlPlaneTest, ReportsAnOnDemandServiceEvenIfItsListIsEmptyAndEachTimeItIsNeeded) {
  plane_->need_service(kDemo);
  executor_.run();
  EXPECT_EQ(sink_.reports[kDemo], 1);
  EXPECT_THAT(sink_.services.at(kDemo), IsEmpty());
  plane_->need_service(kDemo);
  EXPECT_EQ(sink_.reports[kDemo], 2);
  const auto status = plane_->subscriptions();
  ASSERT_THAT(status, SizeIs(1));
  EXPECT_TRUE(status[0].on_demand);
}

TEST_F(ControlPlaneTest, CountsSubscriptionsAndTheirProvidersAsTheyAreNow) {
  const std::string other = "com.example.Other";
  const auto counted = [this] {
    const SubscriptionCounts counts = plane_->subscription_counts();
    return std::vector{counts.asked_for.in_hand, counts.asked_for.pending, counts.on_demand.in_hand,
                       counts.providers};
  };
  subscribe(subscription(kDemo));
  subscribe(subscription(kDemo, "g"));
  EXPECT_THAT(counted(), ElementsAre(2, 0, 0, 0));
  publish(publication(kDemo));
  EXPECT_THAT(counted(), ElementsAre(2, 0, 0, 1));
  EXPECT_THAT(counted(), ElementsAre(2, 0, 0, 1));
  publish(publication(other));
  plane_->need_service(other);
  executor_.run();
  EXPECT_THAT(counted(), ElementsAre(2, 0, 1, 2));
  unsubscribe({kDemo, "", ""});
  EXPECT_THAT(counted(), ElementsAre(1, 0, 1, 1));
}

TEST_F(ControlPlaneTest, DropsAnOnDemandServiceThatStaysEmpty) {
  plane_->need_service(kDemo);
  executor_.advance(seconds(59));
  plane_->need_service(kDemo);
  executor_.advance(seconds(60));
  EXPECT_THAT(sink_.gone, IsEmpty());
  executor_.advance(seconds(60));
  EXPECT_THAT(sink_.gone, ElementsAre(kDemo));
  EXPECT_THAT(plane_->subscriptions(), IsEmpty());
}

TEST_F(ControlPlaneTest, KeepsAnOnDemandServiceThatHasProviders) {
  publish(publication(kDemo));
  plane_->need_service(kDemo);
  executor_.advance(seconds(600));
  EXPECT_THAT(sink_.gone, IsEmpty());
}

TEST_F(ControlPlaneTest, IgnoresInterfaceNamesFromTheWireThatNoServiceCanHave) {
  const std::vector<std::string> impossible = {"",   "a/b", "a b", "..", std::string(257, 'a'),
                                               "%2F"};
  for (const std::string& name : impossible) plane_->need_service(name);
  executor_.run();
  EXPECT_THAT(plane_->subscriptions(), IsEmpty());
}

TEST_F(ControlPlaneTest, LimitsOnDemandServices) {
  for (std::size_t i = 0; i <= kMaxOnDemandServices; ++i) {
    plane_->need_service("com.example.S" + std::to_string(i));
  }
  EXPECT_THAT(plane_->subscriptions(), SizeIs(kMaxOnDemandServices));
}

TEST_F(ControlPlaneTest, LimitsPublicationsWithAClearError) {
  for (std::size_t i = 0; i < kMaxPublications; ++i) {
    ASSERT_TRUE(publish(publication("com.example.S" + std::to_string(i))));
  }
  const auto refused = publish(publication(kDemo));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kTooLarge);
  EXPECT_THAT(refused.error().message, HasSubstr("1000"));
  EXPECT_TRUE(publish(publication("com.example.S0")));
}

TEST_F(ControlPlaneTest, UsesANamedRegistryOnlyIfItIsConfigured) {
  open({"memory"});
  PublicationRequest request = publication(kDemo);
  request.registry = "memory";
  EXPECT_TRUE(publish(request));
  request.registry = "zookeeper://127.0.0.1:1";
  const auto refused = publish(request);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(refused.error().message, HasSubstr("configuration key \"registry\""));
  request.registry = "nacos://u:secret@h";
  EXPECT_THAT(publish(request).error().message, testing::Not(HasSubstr("secret")));
}

TEST_F(ControlPlaneTest, WithdrawsEverythingAtShutdownAndAcceptsNothingMore) {
  publish(publication(kDemo));
  publish(publication("com.example.Other"));
  subscribe(subscription(kDemo));
  bool done = false;
  plane_->withdraw_all(kWait, [&done] { done = true; });
  EXPECT_FALSE(done);
  executor_.run();
  EXPECT_TRUE(done);
  EXPECT_THAT(plane_->publications(), IsEmpty());
  EXPECT_THAT(sink_.gone, IsEmpty());            // calls in flight still need the lists
  EXPECT_THAT(sink_.local_services, SizeIs(2));  // and inbound ones their ports
  EXPECT_EQ(publish(publication(kDemo)).error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(subscribe(subscription(kDemo)).error().code, ErrorCode::kUnavailable);
}

TEST_F(ControlPlaneTest, AnswersWithoutWaitingWhereNoWaitIsAllowed) {
  int answers = 0;
  plane_->publish(publication(kDemo), milliseconds(0), [&](const Result<VerbOutcome>& outcome) {
    ++answers;
    EXPECT_TRUE(outcome);
  });
  executor_.run();
  EXPECT_EQ(answers, 1);
}

TEST_F(ControlPlaneTest, ShowsWhatItAdvertisesAndWhy) {
  const auto registries = plane_->registries();
  ASSERT_THAT(registries, SizeIs(1));
  EXPECT_EQ(registries[0].name, "memory");
  EXPECT_TRUE(registries[0].connected);
  EXPECT_EQ(registries[0].advertised.host, "10.0.0.5");
  EXPECT_EQ(registries[0].advertised.port, 20882);
  EXPECT_EQ(registries[0].advertised.reason, "--advertise");
}

TEST(ControlPlane, RefusesAWrongConfiguration) {
  ManualExecutor executor;
  RecordingSink sink;
  const auto error_of = [&](ControlPlaneConfig config) {
    auto created = ControlPlane::create(std::move(config), executor, sink);
    return created ? std::string() : created.error().message;
  };
  EXPECT_THAT(error_of({.registries = {"consul://h"}, .advertise = ""}),
              HasSubstr("expected memory or zookeeper"));
  EXPECT_THAT(error_of({.registries = {"memory", "memory"}, .advertise = ""}),
              HasSubstr("configured twice"));
  EXPECT_THAT(error_of({.registries = {}, .advertise = "nowhere"}), HasSubstr("nowhere"));
  EXPECT_THAT(error_of({.registries = {}, .advertise = "", .inbound_port = 0}),
              HasSubstr("inbound port 0"));
  EXPECT_THAT(error_of({.registries = {},
                        .advertise = "",
                        .default_provider_port = 20882,
                        .own_ports = {20881, 20882}}),
              HasSubstr("port 20882 is the agent's own"));
}

}  // namespace
}  // namespace skiff::registry
