// What a registry finds by itself, against a real ZooKeeper. (A watch that is deaf is made by a
// proxy, in tests/integration/brakes.test.js.)

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/registry_on_thread.h"
#include "support/zookeeper_client.h"
#include "support/zookeeper_server.h"

namespace skiff::registry {
namespace {

using testing::Contains;
using testing::HasSubstr;

constexpr std::chrono::milliseconds kOften{100};

dubbo::Url provider(int number) {
  return *dubbo::Url::parse("dubbo://10.0.0." + std::to_string(number) +
                            ":20882/com.example.Checked?interface=com.example.Checked");
}

std::string path_of(const dubbo::Url& url) {
  return "/dubbo/com.example.Checked/providers/" + url.to_node_name();
}

TEST(RegistryChecks, WriteANodeAgainThatSomebodyDeleted) {
  ZookeeperServer server;
  ZookeeperClient client(server.address());
  RegistryOnThread registry(server.url(), {.check_interval = kOften});
  registry.register_url(provider(1));
  registry.register_url(provider(2));
  ASSERT_TRUE(registry.wait_registered(provider(1)));
  ASSERT_TRUE(registry.wait_registered(provider(2)));
  const auto owner = client.owner(path_of(provider(2)));
  client.remove(path_of(provider(1)));
  ASSERT_TRUE(registry.wait_until([](const RegistryRecord& record) {
    return record.lost_nodes == 1 && record.registered.contains(provider(1).to_string());
  }));
  EXPECT_EQ(client.owner(path_of(provider(1))), owner);
  EXPECT_THAT(registry.record().failures, Contains(HasSubstr("had gone")));
}

TEST(RegistryChecks, ReplaceANodeThatIsAnotherSessions) {
  ZookeeperServer server;
  ZookeeperClient client(server.address());
  RegistryOnThread registry(server.url(), {.check_interval = kOften});
  registry.register_url(provider(1));
  ASSERT_TRUE(registry.wait_registered(provider(1)));
  const auto owner = client.owner(path_of(provider(1)));
  client.take_over(path_of(provider(1)));
  ASSERT_TRUE(registry.wait_until([](const RegistryRecord& record) {
    return record.lost_nodes >= 1 && record.registered.contains(provider(1).to_string());
  }));
  EXPECT_EQ(client.owner(path_of(provider(1))), owner);
}

TEST(RegistryChecks, FindNothingWhereEventsTold) {
  ZookeeperServer server;
  ZookeeperClient client(server.address());
  client.create_all("/dubbo/com.example.Checked/providers");
  RegistryOnThread registry(server.url(), {.check_interval = std::chrono::milliseconds(10)});
  registry.watch("com.example.Checked");
  ASSERT_TRUE(registry.wait_providers("com.example.Checked", 0));
  constexpr int kProviders = 100;
  for (int number = 1; number <= kProviders; ++number) client.create(path_of(provider(number)));
  ASSERT_TRUE(registry.wait_providers("com.example.Checked", kProviders));
  EXPECT_EQ(registry.record().deaf_watches, 0);
}

}  // namespace
}  // namespace skiff::registry
