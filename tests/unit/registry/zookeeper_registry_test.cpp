#include "registry/zookeeper/zookeeper_registry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>

#include "registry/limits.h"
#include "support/eventually.h"
#include "support/registry_on_thread.h"
#include "support/silent_listener.h"
#include "support/zookeeper_client.h"
#include "support/zookeeper_server.h"

namespace skiff::registry {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

const std::string kDemo = "com.example.DemoService";
const std::string kProviders = "/dubbo/com.example.DemoService/providers";

dubbo::Url url_of(const std::string& text) {
  auto url = dubbo::Url::parse(text);
  EXPECT_TRUE(url) << text;
  return *url;
}

dubbo::Url provider(int number = 1) {
  return url_of("dubbo://10.0.0." + std::to_string(number) +
                ":20882/com.example.DemoService?application=demo&category=providers&dubbo=2.0.2&"
                "interface=com.example.DemoService&methods=sayHello,sayBye&side=provider&"
                "timestamp=1764000000000");
}

std::string path_of(const dubbo::Url& url) { return kProviders + "/" + url.to_node_name(); }

TEST(ZookeeperRegistry, WritesTheProviderNodeByteForByte) {
  ZookeeperServer server;
  ZookeeperClient client(server.address());
  RegistryOnThread registry(server.url());
  registry.register_url(provider());
  ASSERT_TRUE(registry.wait_registered(provider()));
  EXPECT_THAT(client.children(kProviders),
              ElementsAre("dubbo%3A%2F%2F10.0.0.1%3A20882%2Fcom.example.DemoService%3Fapplication"
                          "%3Ddemo%26category%3Dproviders%26dubbo%3D2.0.2%26interface%3Dcom."
                          "example.DemoService%26methods%3DsayHello%2CsayBye%26side%3Dprovider%26"
                          "timestamp%3D1764000000000"));
  EXPECT_EQ(client.data(path_of(provider())), "10.0.0.1");
  EXPECT_NE(client.owner(path_of(provider())).value_or(0), 0) << "not ephemeral";
  EXPECT_EQ(client.owner(kProviders), 0) << "the folder is not persistent";
  EXPECT_EQ(client.first_acl_identity(path_of(provider())), "world:anyone");
}

TEST(ZookeeperRegistry, ReadsMoreListsThanItReadsAtOnce) {
  ZookeeperServer server;
  RegistryOnThread registry(server.url(), {.application_discovery = false});
  constexpr std::size_t kLists = 3 * kListsReadAtOnce;
  const auto name = [](std::size_t i) { return "com.example.Service" + std::to_string(i); };
  for (std::size_t i = 0; i < kLists; ++i) registry.watch(name(i));
  // Some are no longer of interest by the time that it is their turn.
  for (std::size_t i = 0; i < kLists; i += 2) registry.unwatch(name(i));
  ASSERT_TRUE(registry.wait_until([&](const RegistryRecord& record) {
    for (std::size_t i = 1; i < kLists; i += 2) {
      if (!record.reports.contains(name(i))) return false;
    }
    return true;
  }));
  // All the same after the server was away.
  server.stop();
  server.start();
  ZookeeperClient client(server.address());
  client.create_all("/dubbo/" + name(1) + "/providers/" + provider().to_node_name());
  EXPECT_TRUE(registry.wait_providers(name(1), 1));
}

TEST(ZookeeperRegistry, WritesTheAgeOfAProviderIntoANodeThatTakesThePlaceOfAnother) {
  ZookeeperServer server;
  ZookeeperClient client(server.address());
  RegistryOnThread registry(server.url());
  dubbo::Url url = provider();
  const auto now_ms = [] {
    return std::chrono::duration_cast<std::chrono::milliseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
  };
  url.parameters["timestamp"] = std::to_string(now_ms() - 60'000);
  registry.register_successor(url);
  ASSERT_TRUE(registry.wait_registered(url));
  const std::string data = client.data(path_of(url));
  ASSERT_THAT(data, testing::StartsWith("10.0.0.1 "));
  const long long age = std::stoll(data.substr(data.find(' ')));
  EXPECT_GE(age, 60'000);
  EXPECT_LE(age, now_ms() - std::stoll(url.parameters["timestamp"]));
}

TEST(ZookeeperRegistry, WritesConsumersBesideTheProviders) {
  ZookeeperServer server;
  ZookeeperClient client(server.address());
  RegistryOnThread registry(server.url());
  const dubbo::Url consumer =
      url_of("consumer://10.0.0.7/com.example.DemoService?interface=com.example.DemoService");
  registry.register_url(consumer);
  ASSERT_TRUE(registry.wait_registered(consumer));
  EXPECT_THAT(client.children("/dubbo/com.example.DemoService/consumers"),
              ElementsAre(consumer.to_node_name()));
}

TEST(ZookeeperRegistry, EncodesTheInterface) {
  ZookeeperServer server;
  ZookeeperClient client(server.address());
  RegistryOnThread registry(server.url());
  const dubbo::Url url = url_of("dubbo://10.0.0.1:20882/a.B$C?interface=a.B$C");
  registry.register_url(url);
  ASSERT_TRUE(registry.wait_registered(url));
  EXPECT_THAT(client.children("/dubbo/a.B%24C/providers"), SizeIs(1));
  registry.watch("a.B$C");
  EXPECT_TRUE(registry.wait_providers("a.B$C", 1));
}

TEST(ZookeeperRegistry, WithdrawsExactlyWhatItWrote) {
  ZookeeperServer server;
  ZookeeperClient client(server.address());
  RegistryOnThread registry(server.url());
  for (const int number : {1, 2}) {
    registry.register_url(provider(number));
    ASSERT_TRUE(registry.wait_registered(provider(number)));
  }
  registry.unregister_url(provider(1));
  ASSERT_TRUE(registry.wait_unregistered(provider(1)));
  EXPECT_THAT(client.children(kProviders), ElementsAre(provider(2).to_node_name()));
}

TEST(ZookeeperRegistry, EndsWithoutANodeWhereItIsWithdrawnWhileBeingCreated) {
  ZookeeperServer server;
  ZookeeperClient client(server.address());
  RegistryOnThread registry(server.url());
  ASSERT_TRUE(registry.wait_connected());
  for (int number = 1; number <= 50; ++number) {
    registry.register_url(provider(number));
    registry.unregister_url(provider(number));
  }
  for (int number = 1; number <= 50; ++number) {
    ASSERT_TRUE(registry.wait_unregistered(provider(number)));
  }
  EXPECT_THAT(client.children(kProviders), IsEmpty());
}

TEST(ZookeeperRegistry, KeepsANodeThatIsWantedAgainWhileBeingWithdrawn) {
  ZookeeperServer server;
  ZookeeperClient client(server.address());
  RegistryOnThread registry(server.url());
  registry.register_url(provider());
  ASSERT_TRUE(registry.wait_registered(provider()));
  registry.unregister_url(provider());
  registry.register_url(provider());
  registry.register_url(provider(2));
  ASSERT_TRUE(registry.wait_registered(provider(2)));
  EXPECT_TRUE(eventually([&] { return client.exists(path_of(provider())); }));
}

TEST(ZookeeperRegistry, ReportsWithdrawnWhatNeverWasThere) {
  ZookeeperServer server;
  RegistryOnThread registry(server.url());
  registry.unregister_url(provider());
  EXPECT_TRUE(registry.wait_unregistered(provider()));
}

TEST(ZookeeperRegistry, ReplacesTheGhostOfAnotherSession) {
  ZookeeperServer server;
  ZookeeperClient client(server.address());
  client.create_all(kProviders);
  client.create(path_of(provider()), true);
  ASSERT_EQ(client.owner(path_of(provider())), client.session_id());
  RegistryOnThread registry(server.url());
  registry.register_url(provider());
  ASSERT_TRUE(registry.wait_registered(provider()));
  const auto owner = client.owner(path_of(provider()));
  ASSERT_TRUE(owner);
  EXPECT_NE(*owner, client.session_id());
  EXPECT_NE(*owner, 0);
}

TEST(ZookeeperRegistry, SeesEveryChangeOfAWatchedList) {
  ZookeeperServer server;
  ZookeeperClient client(server.address());
  client.create_all(kProviders);
  RegistryOnThread registry(server.url());
  registry.watch(kDemo);
  ASSERT_TRUE(registry.wait_providers(kDemo, 0));
  client.create(path_of(provider(1)), true);
  ASSERT_TRUE(registry.wait_providers(kDemo, 1));
  client.create(path_of(provider(2)), true);
  ASSERT_TRUE(registry.wait_providers(kDemo, 2));
  client.remove(path_of(provider(1)));
  ASSERT_TRUE(registry.wait_providers(kDemo, 1));

  dubbo::Url changed = provider(2);
  changed.parameters["weight"] = "50";
  client.create(path_of(changed), true);
  client.remove(path_of(provider(2)));
  EXPECT_TRUE(registry.wait_until([&](const RegistryRecord& record) {
    return record.providers.at(kDemo) == std::vector<std::string>{changed.to_string()};
  }));
}

TEST(ZookeeperRegistry, SeesAListThatIsCreatedAfterTheWatchAndCreatesNothingItself) {
  ZookeeperServer server;
  ZookeeperClient client(server.address());
  RegistryOnThread registry(server.url());
  registry.watch(kDemo);
  ASSERT_TRUE(registry.wait_providers(kDemo, 0));
  EXPECT_FALSE(client.exists("/dubbo"));
  client.create_all(kProviders);
  client.create(path_of(provider()), true);
  ASSERT_TRUE(registry.wait_providers(kDemo, 1));
  client.remove(path_of(provider()));
  client.remove(kProviders);
  ASSERT_TRUE(registry.wait_providers(kDemo, 0));
  client.create(kProviders);
  client.create(path_of(provider(2)), true);
  EXPECT_TRUE(registry.wait_providers(kDemo, 1));
}

TEST(ZookeeperRegistry, SkipsNodesWhoseNamesCannotBeRead) {
  ZookeeperServer server;
  ZookeeperClient client(server.address());
  client.create_all(kProviders);
  client.create(kProviders + "/not a url");
  client.create(kProviders + "/dubbo%3A%2F%2Fbroken%3");
  client.create(path_of(provider()));
  RegistryOnThread registry(server.url());
  registry.watch(kDemo);
  ASSERT_TRUE(registry.wait_providers(kDemo, 1));
  EXPECT_THAT(registry.record().providers[kDemo], ElementsAre(provider().to_string()));
}

TEST(ZookeeperRegistry, SaysNothingAfterUnwatchAndStartsAfreshAfterWatch) {
  ZookeeperServer server;
  ZookeeperClient client(server.address());
  client.create_all(kProviders);
  RegistryOnThread registry(server.url());
  registry.watch(kDemo);
  ASSERT_TRUE(registry.wait_providers(kDemo, 0));
  registry.unwatch(kDemo);
  client.create(path_of(provider()), true);
  registry.register_url(provider(2));
  ASSERT_TRUE(registry.wait_registered(provider(2)));
  EXPECT_EQ(registry.record().reports[kDemo], 1);
  registry.watch(kDemo);
  EXPECT_TRUE(registry.wait_providers(kDemo, 2));
}

TEST(ZookeeperRegistry, ReadsAThousandProvidersAtOnce) {
  ZookeeperServer server;
  ZookeeperClient client(server.address());
  client.create_all(kProviders);
  dubbo::Url url = provider();
  for (int i = 0; i < 1000; ++i) {
    url.parameters["timestamp"] = std::to_string(1764000000000 + i);
    client.create(path_of(url));
  }
  RegistryOnThread registry(server.url());
  registry.watch(kDemo);
  EXPECT_TRUE(registry.wait_providers(kDemo, 1000));
  EXPECT_EQ(registry.record().reports[kDemo], 1);
}

TEST(ZookeeperRegistry, WritesAThousandProvidersAtOnce) {
  ZookeeperServer server;
  ZookeeperClient client(server.address());
  RegistryOnThread registry(server.url());
  dubbo::Url url = provider();
  for (int i = 0; i < 1000; ++i) {
    url.parameters["timestamp"] = std::to_string(1764000000000 + i);
    registry.register_url(url);
  }
  ASSERT_TRUE(registry.wait_until(
      [](const RegistryRecord& record) { return record.registered.size() == 1000; }));
  EXPECT_THAT(client.children(kProviders), SizeIs(1000));
}

TEST(ZookeeperRegistry, ConnectsWhenItsServerComesUpLater) {
  ZookeeperServer server;
  server.stop();
  RegistryOnThread registry(server.url() + "?session=2000");
  registry.register_url(provider());
  registry.watch(kDemo);
  ASSERT_TRUE(
      registry.wait_until([](const RegistryRecord& record) { return !record.detail.empty(); }));
  EXPECT_FALSE(registry.record().connected);
  server.start();
  EXPECT_TRUE(registry.wait_registered(provider()));
  EXPECT_TRUE(registry.wait_providers(kDemo, 1));
}

TEST(ZookeeperRegistry, KeepsItsNodesAndSeesWhatChangedWhenTheServerRestarts) {
  ZookeeperServer server;
  RegistryOnThread registry(server.url());
  registry.register_url(provider());
  ASSERT_TRUE(registry.wait_registered(provider()));
  registry.watch(kDemo);
  ASSERT_TRUE(registry.wait_providers(kDemo, 1));

  server.stop();
  ASSERT_TRUE(registry.wait_until([](const RegistryRecord& record) { return !record.connected; }));
  registry.register_url(provider(2));  // remembered until the server is back
  server.start();
  ZookeeperClient client(server.address());
  ASSERT_TRUE(registry.wait_registered(provider(2)));
  EXPECT_TRUE(client.exists(path_of(provider(1))));
  EXPECT_TRUE(registry.wait_providers(kDemo, 2));
  client.create(path_of(provider(3)), true);
  EXPECT_TRUE(registry.wait_providers(kDemo, 3));
  EXPECT_THAT(registry.record().failures, IsEmpty());
}

TEST(ZookeeperRegistry, WithdrawsAfterAnOutageWhatWasTakenBackDuringIt) {
  ZookeeperServer server;
  RegistryOnThread registry(server.url());
  registry.register_url(provider());
  ASSERT_TRUE(registry.wait_registered(provider()));
  server.stop();
  ASSERT_TRUE(registry.wait_until([](const RegistryRecord& record) { return !record.connected; }));
  registry.unregister_url(provider());
  server.start();
  ASSERT_TRUE(registry.wait_unregistered(provider()));
  ZookeeperClient client(server.address());
  EXPECT_THAT(client.children(kProviders), IsEmpty());
}

TEST(ZookeeperRegistry, WritesAndWatchesEverythingAgainInANewSession) {
  ZookeeperServer server;
  ZookeeperClient client(server.address());
  RegistryOnThread registry(server.url());
  for (int number = 1; number <= 5; ++number) registry.register_url(provider(number));
  for (int number = 1; number <= 5; ++number) {
    ASSERT_TRUE(registry.wait_registered(provider(number)));
  }
  registry.watch(kDemo);
  ASSERT_TRUE(registry.wait_providers(kDemo, 5));
  const std::int64_t session = client.owner(path_of(provider(1))).value_or(0);

  expire_session(server.address(), session);
  ASSERT_TRUE(registry.wait_until(
      [](const RegistryRecord& record) { return record.failures.size() == 5; }));
  for (int number = 1; number <= 5; ++number) {
    ASSERT_TRUE(registry.wait_registered(provider(number)));
    const auto owner = client.owner(path_of(provider(number)));
    ASSERT_TRUE(owner);
    EXPECT_NE(*owner, session);
  }
  EXPECT_EQ(registry.record().lost_sessions, 1);
  client.create(path_of(provider(6)), true);
  EXPECT_TRUE(registry.wait_providers(kDemo, 6));
}

TEST(ZookeeperRegistry, OpensANewSessionWhenTheServerLostItsData) {
  ZookeeperServer server;
  RegistryOnThread registry(server.url() + "?session=1000");
  registry.register_url(provider());
  ASSERT_TRUE(registry.wait_registered(provider()));
  server.stop();
  server.wipe_data();
  server.start();
  ASSERT_TRUE(
      registry.wait_until([](const RegistryRecord& record) { return record.connections == 2; }));
  ASSERT_TRUE(registry.wait_registered(provider()));
  ZookeeperClient client(server.address());
  EXPECT_TRUE(client.exists(path_of(provider())));
}

TEST(ZookeeperRegistry, TakesItsSessionUpAgainWhenTheServerWasMerelyAwayForLong) {
  ZookeeperServer server;
  // It must outlive the moment from the server's return to the connection, also on a busy machine.
  RegistryOnThread registry(server.url() + "?session=4000");
  registry.register_url(provider());
  ASSERT_TRUE(registry.wait_registered(provider()));
  std::optional<std::int64_t> owner;
  {
    ZookeeperClient client(server.address());
    owner = client.owner(path_of(provider()));
  }
  server.stop();
  ASSERT_TRUE(registry.wait_until([](const RegistryRecord& record) {
    return record.detail.find("has answered for") != std::string::npos;
  }));
  server.start();
  ASSERT_TRUE(
      registry.wait_until([](const RegistryRecord& record) { return record.connections == 2; }));
  ZookeeperClient client(server.address());
  EXPECT_EQ(client.owner(path_of(provider())), owner);
  EXPECT_THAT(registry.record().failures, IsEmpty());
  registry.unregister_url(provider());
  EXPECT_TRUE(registry.wait_unregistered(provider()));
}

TEST(ZookeeperRegistry, GivesUpOnAServerThatAcceptsConnectionsButNeverAnswers) {
  ZookeeperServer server;
  server.stop();
  auto silent = std::make_unique<SilentListener>(server.port());
  RegistryOnThread registry(server.url());
  ASSERT_TRUE(registry.wait_until([](const RegistryRecord& record) {
    return record.detail.find("does not answer") != std::string::npos;
  }));
  silent.reset();
  server.start();
  EXPECT_TRUE(registry.wait_connected());
}

TEST(ZookeeperRegistry, UsesDigestAuthentication) {
  ZookeeperServer server;
  RegistryOnThread registry("zookeeper://skiff:se%2Fcret@" + server.address());
  registry.register_url(provider());
  ASSERT_TRUE(registry.wait_registered(provider()));
  ZookeeperClient owner(server.address(), "skiff:se/cret");
  EXPECT_THAT(owner.first_acl_identity("/dubbo"), HasSubstr("digest:skiff:"));
  EXPECT_THAT(owner.children(kProviders), SizeIs(1));

  RegistryOnThread stranger(server.url());
  stranger.register_url(provider(2));
  ASSERT_TRUE(
      stranger.wait_until([](const RegistryRecord& record) { return !record.failures.empty(); }));
  EXPECT_THAT(stranger.record().failures[0], HasSubstr("not authenticated"));
  EXPECT_THAT(stranger.record().failures[0], Not(HasSubstr("cret")));
}

TEST(ZookeeperRegistry, LivesUnderAChrootThatItCreatesAndAnotherRoot) {
  ZookeeperServer server;
  ZookeeperClient client(server.address());
  RegistryOnThread registry(server.url() + "/team/a?group=rpc");
  registry.watch(kDemo);
  registry.register_url(provider());
  ASSERT_TRUE(registry.wait_registered(provider()));
  EXPECT_TRUE(registry.wait_providers(kDemo, 1));
  EXPECT_THAT(client.children("/team/a/rpc/com.example.DemoService/providers"), SizeIs(1));
}

TEST(ZookeeperRegistry, TakesItsNodesAlongWhenItIsClosed) {
  ZookeeperServer server;
  ZookeeperClient client(server.address());
  {
    RegistryOnThread registry(server.url());
    registry.register_url(provider());
    ASSERT_TRUE(registry.wait_registered(provider()));
  }
  EXPECT_TRUE(eventually([&] { return client.children(kProviders).empty(); }));
}

}  // namespace
}  // namespace skiff::registry
