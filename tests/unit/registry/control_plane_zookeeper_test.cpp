// The control plane with real registries in it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <string>

#include "support/eventually.h"
#include "support/plane_on_thread.h"
#include "support/zookeeper_client.h"
#include "support/zookeeper_server.h"

namespace skiff::registry {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

const std::string kDemo = "com.example.DemoService";
const std::string kProviders = "/dubbo/com.example.DemoService/providers";
const std::string kConsumers = "/dubbo/com.example.DemoService/consumers";

TEST(ZookeeperControlPlane, PublishesAndSubscribesAcrossTwoAgents) {
  ZookeeperServer server;
  ZookeeperClient client(server.address());
  PlaneOnThread provider({server.url()});
  PlaneOnThread consumer({server.url()});
  const auto subscribed = consumer.subscribe(kDemo);
  ASSERT_TRUE(subscribed);
  EXPECT_EQ(subscribed->state, VerbState::kSubscribed);
  EXPECT_THAT(subscribed->providers, IsEmpty());

  const auto published = provider.publish(kDemo);
  ASSERT_TRUE(published);
  EXPECT_EQ(published->state, VerbState::kRegistered) << published->reason;
  EXPECT_THAT(published->url, HasSubstr("dubbo://127.0.0.1:20882/com.example.DemoService?"));
  EXPECT_TRUE(consumer.wait_until([](const ControlPlane&, const RecordingSink& sink) {
    return sink.services.at(kDemo).size() == 1;
  }));
  // Whose turn in a new session comes after a random time.
  ASSERT_TRUE(eventually([&] { return !client.children(kConsumers).empty(); }));
  EXPECT_THAT(client.children(kConsumers), SizeIs(1));

  EXPECT_EQ(provider.unpublish(kDemo)->state, VerbState::kUnregistered);
  EXPECT_THAT(client.children(kProviders), IsEmpty());
  EXPECT_EQ(consumer.unsubscribe(kDemo)->state, VerbState::kUnsubscribed);
  EXPECT_THAT(client.children(kConsumers), IsEmpty());
}

TEST(ZookeeperControlPlane, RemembersWhatItCannotConfirmAndDoesItLater) {
  ZookeeperServer server;
  server.stop();
  PlaneOnThread plane({server.url()});
  const auto published = plane.publish(kDemo, std::nullopt, milliseconds(0));
  ASSERT_TRUE(published);
  EXPECT_EQ(published->state, VerbState::kPending);
  EXPECT_THAT(published->reason, HasSubstr(server.url()));
  const auto subscribed = plane.subscribe(kDemo, std::nullopt, milliseconds(0));
  ASSERT_TRUE(subscribed);
  EXPECT_EQ(subscribed->state, VerbState::kPending);
  EXPECT_THAT(subscribed->reason, HasSubstr(server.url()));
  server.start();
  EXPECT_EQ(plane.publish(kDemo)->state, VerbState::kRegistered);
  EXPECT_EQ(plane.subscribe(kDemo)->state, VerbState::kSubscribed);
  EXPECT_TRUE(plane.wait_until([](const ControlPlane&, const RecordingSink& sink) {
    return sink.services.at(kDemo).size() == 1;
  }));
}

TEST(ZookeeperControlPlane, KeepsItsListAndFinishesAWithdrawalWhenTheRegistryWasAway) {
  ZookeeperServer server;
  PlaneOnThread plane({server.url()});
  ASSERT_EQ(plane.publish(kDemo)->state, VerbState::kRegistered);
  ASSERT_THAT(plane.subscribe(kDemo)->providers, SizeIs(1));  // the list is newer than the node
  server.stop();
  ASSERT_TRUE(plane.wait_until([](const ControlPlane& control, const RecordingSink&) {
    return !control.registries()[0].connected;
  }));
  EXPECT_THAT(plane.subscribe(kDemo)->providers, SizeIs(1));
  EXPECT_EQ(plane.publish(kDemo, std::nullopt, milliseconds(0))->state, VerbState::kPending);
  const auto pending = plane.unpublish(kDemo, milliseconds(0));
  EXPECT_EQ(pending->state, VerbState::kPending);
  EXPECT_THAT(pending->reason, HasSubstr(server.url()));
  server.start();
  EXPECT_TRUE(plane.wait_until([](const ControlPlane& control, const RecordingSink& sink) {
    return control.service(kDemo)->is_stale && sink.services.at(kDemo).size() == 1;
  })) << "an empty list is not believed at once";
}

TEST(ZookeeperControlPlane, OpensARegistryThatARequestNamesAndClosesItAfterwards) {
  ZookeeperServer server;
  ZookeeperClient client(server.address());
  PlaneOnThread plane({});
  EXPECT_EQ(plane.publish(kDemo, server.url())->state, VerbState::kRegistered);
  EXPECT_THAT(client.children(kProviders), SizeIs(1));
  EXPECT_THAT(plane.call([&] { return plane.plane().registries(); }), SizeIs(2));
  EXPECT_EQ(plane.subscribe(kDemo, server.url())->state, VerbState::kSubscribed);
  plane.unpublish(kDemo);
  EXPECT_THAT(plane.call([&] { return plane.plane().registries(); }), SizeIs(2));
  plane.unsubscribe(kDemo);
  EXPECT_TRUE(plane.wait_until([](const ControlPlane& control, const RecordingSink&) {
    return control.registries().size() == 1;
  }));
}

TEST(ZookeeperControlPlane, LimitsTheRegistriesThatRequestsOpen) {
  PlaneOnThread plane({});
  for (int port = 1; port <= 8; ++port) {
    const auto published =
        plane.publish("com.example.S" + std::to_string(port),
                      "zookeeper://127.0.0.1:" + std::to_string(port), milliseconds(0));
    ASSERT_TRUE(published);
    EXPECT_EQ(published->state, VerbState::kPending);
  }
  const auto refused = plane.publish(kDemo, "zookeeper://127.0.0.1:9", milliseconds(0));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kTooLarge);
}

TEST(ZookeeperControlPlane, MergesTheListsOfAllRegistries) {
  ZookeeperServer first;
  ZookeeperServer second;
  PlaneOnThread provider({first.url()});
  PlaneOnThread other_provider({second.url()}, "127.0.0.1:7000");
  PlaneOnThread consumer({first.url(), second.url(), "memory"});
  provider.publish(kDemo);
  other_provider.publish(kDemo);
  ASSERT_EQ(consumer.subscribe(kDemo)->state, VerbState::kSubscribed);
  EXPECT_TRUE(consumer.wait_until([](const ControlPlane&, const RecordingSink& sink) {
    return sink.services.at(kDemo).size() == 2;
  }));
  EXPECT_EQ(consumer.publish("com.example.Other")->state, VerbState::kRegistered);
  EXPECT_THAT(consumer.call([&] { return consumer.plane().publications(); }), SizeIs(3));
}

TEST(ZookeeperControlPlane, WritesOneUrlIntoAllRegistries) {
  ZookeeperServer server;
  ZookeeperClient client(server.address());
  const std::string second = server.url() + "/second";
  PlaneOnThread plane({server.url(), second});
  ASSERT_EQ(plane.publish(kDemo)->state, VerbState::kRegistered);
  const auto nodes = client.children(kProviders);
  EXPECT_THAT(nodes, SizeIs(1));
  EXPECT_EQ(client.children("/second" + kProviders), nodes);

  // It leaves one of them and comes back, be its withdrawal confirmed or not.
  for (const milliseconds wait : {PlaneOnThread::kWait, milliseconds(0)}) {
    ASSERT_TRUE(plane.publish(kDemo, server.url(), wait));
    ASSERT_EQ(plane.publish(kDemo)->state, VerbState::kRegistered);
    EXPECT_TRUE(plane.wait_until([&](const ControlPlane&, const RecordingSink&) {
      return client.children("/second" + kProviders).size() == 1;
    }));
    EXPECT_EQ(client.children(kProviders), nodes);
  }
  ASSERT_EQ(plane.unpublish(kDemo)->state, VerbState::kUnregistered);
  EXPECT_THAT(client.children(kProviders), IsEmpty());
  EXPECT_THAT(client.children("/second" + kProviders), IsEmpty());
}

TEST(ZookeeperControlPlane, WatchesOnDemandWithoutLeavingATrace) {
  ZookeeperServer server;
  ZookeeperClient client(server.address());
  PlaneOnThread plane({server.url()});
  plane.call([&] { plane.plane().need_service(kDemo); });
  EXPECT_TRUE(plane.wait_until([](const ControlPlane&, const RecordingSink& sink) {
    return sink.services.contains(kDemo);
  }));
  EXPECT_FALSE(client.exists("/dubbo"));
}

TEST(ZookeeperControlPlane, WithdrawsEverythingAtShutdown) {
  ZookeeperServer server;
  ZookeeperClient client(server.address());
  PlaneOnThread plane({server.url()});
  plane.publish(kDemo);
  plane.subscribe(kDemo);
  std::promise<void> done;
  plane.call(
      [&] { plane.plane().withdraw_all(PlaneOnThread::kWait, [&done] { done.set_value(); }); });
  done.get_future().wait();
  EXPECT_THAT(client.children(kProviders), IsEmpty());
  EXPECT_THAT(client.children(kConsumers), IsEmpty());
}

TEST(ZookeeperControlPlane, AdvertisesByANameThatMustBeResolved) {
  // Spelled so, it is a name like any other to the agent.
  ZookeeperServer server;
  const std::string port = server.address().substr(server.address().find(':'));
  PlaneOnThread plane({"zookeeper://LOCALHOST" + port});
  const auto published = plane.publish(kDemo);
  ASSERT_TRUE(published);
  EXPECT_EQ(published->state, VerbState::kRegistered) << published->reason;
}

}  // namespace
}  // namespace skiff::registry
