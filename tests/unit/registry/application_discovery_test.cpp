// Providers that Dubbo 3 registers by application, found in a real ZooKeeper.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <string>
#include <thread>
#include <vector>

#include "registry/registry.h"
#include "support/loopback_listener.h"
#include "support/metadata_answers.h"
#include "support/registry_on_thread.h"
#include "support/zookeeper_client.h"
#include "support/zookeeper_server.h"

namespace skiff::registry {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const std::string kDemo = "com.example.Demo";
const std::string kOther = "com.example.Other";

// What an instance says; `more` is further metadata.
std::string instance(const std::string& address, const std::string& revision,
                     const std::string& storage, const std::string& more = "") {
  const auto colon = address.rfind(':');
  return R"({"name":"shop","id":")" + address + R"(","address":")" + address.substr(0, colon) +
         R"(","port":)" + address.substr(colon + 1) +
         R"(,"payload":{"@class":"org.apache.dubbo.registry.zookeeper.ZookeeperInstance","metadata":{)" +
         R"("dubbo.metadata.revision":")" + revision + R"(","dubbo.metadata.storage-type":")" +
         storage + "\"" + more + "}}}";
}

std::string metadata(const std::string& revision, const std::vector<std::string>& interfaces) {
  std::string services;
  for (const std::string& name : interfaces) {
    if (!services.empty()) services += ',';
    services.append("\"").append(name).append(R"(:dubbo":{"name":")").append(name);
    services.append(R"(","protocol":"dubbo","path":")").append(name);
    services.append(R"(","port":-1,"params":{"methods":"sayHello"}})");
  }
  return R"({"app":"shop","revision":")" + revision + R"(","services":{)" + services + "}}";
}

std::string demo_at(const std::string& address) {
  return "dubbo://" + address + "/" + kDemo +
         "?application=shop&category=providers&interface=" + kDemo +
         "&methods=sayHello&side=provider";
}

class ApplicationDiscoveryTest : public testing::Test {
 protected:
  void map_demo() { client_.write("/dubbo/mapping/" + kDemo, "shop"); }
  void add_instance(const std::string& address, const std::string& text) {
    client_.write("/services/shop/" + address, text);
  }
  void set_metadata(const std::string& revision, const std::vector<std::string>& interfaces) {
    client_.write("/dubbo/metadata/shop/" + revision, metadata(revision, interfaces));
  }
  void add_remote_instance(const std::string& address, const std::string& revision) {
    add_instance(address, instance(address, revision, "remote"));
  }
  bool shows(const std::vector<std::string>& urls, const std::string& interface = kDemo) {
    return registry_.wait_until([&](const RegistryRecord& record) {
      const auto found = record.providers.find(interface);
      return found != record.providers.end() && found->second == urls;
    });
  }
  bool faulty(ApplicationFault fault, int times = 1) {
    return registry_.wait_until([&](const RegistryRecord& record) {
      return record.application_faults[static_cast<std::size_t>(fault)] >= times;
    });
  }

  ZookeeperServer server_;
  ZookeeperClient client_{server_.address()};
  RegistryOnThread registry_{server_.url()};
};

TEST_F(ApplicationDiscoveryTest, FindsInstancesByTheMetadataCentre) {
  map_demo();
  set_metadata("r1", {kDemo});
  add_remote_instance("10.0.0.1:20880", "r1");
  add_remote_instance("10.0.0.2:20880", "r1");
  registry_.watch(kDemo);
  EXPECT_TRUE(shows({demo_at("10.0.0.1:20880"), demo_at("10.0.0.2:20880")}));
  EXPECT_EQ(registry_.record().reports.at(kDemo), 1) << "a list came that was not whole";
}

TEST_F(ApplicationDiscoveryTest, WaitsForEveryNodeThatIsNotThereYet) {
  registry_.watch(kDemo);
  ASSERT_TRUE(shows({}));
  map_demo();
  add_remote_instance("10.0.0.1:20880", "r1");
  ASSERT_TRUE(faulty(ApplicationFault::kUnanswered));
  set_metadata("r1", {kDemo});
  EXPECT_TRUE(shows({demo_at("10.0.0.1:20880")}));
}

TEST_F(ApplicationDiscoveryTest, FollowsInstancesThatComeAndGo) {
  map_demo();
  set_metadata("r1", {kDemo});
  add_remote_instance("10.0.0.1:20880", "r1");
  registry_.watch(kDemo);
  ASSERT_TRUE(shows({demo_at("10.0.0.1:20880")}));
  add_remote_instance("10.0.0.2:20880", "r1");
  ASSERT_TRUE(shows({demo_at("10.0.0.1:20880"), demo_at("10.0.0.2:20880")}));
  client_.remove("/services/shop/10.0.0.1:20880");
  ASSERT_TRUE(shows({demo_at("10.0.0.2:20880")}));
  client_.remove("/services/shop/10.0.0.2:20880");
  EXPECT_TRUE(shows({}));
}

TEST_F(ApplicationDiscoveryTest, FollowsAnInstanceToANewRevision) {
  map_demo();
  set_metadata("r1", {kDemo});
  set_metadata("r2", {kOther});
  add_remote_instance("10.0.0.1:20880", "r1");
  registry_.watch(kDemo);
  ASSERT_TRUE(shows({demo_at("10.0.0.1:20880")}));
  add_remote_instance("10.0.0.1:20880", "r2");
  EXPECT_TRUE(shows({})) << "the new revision does not export it";
  add_remote_instance("10.0.0.1:20880", "r1");
  EXPECT_TRUE(shows({demo_at("10.0.0.1:20880")}));
  add_remote_instance("10.0.0.1:20880", "0");
  EXPECT_TRUE(shows({})) << "revision 0 exports nothing";
}

TEST_F(ApplicationDiscoveryTest, KeepsTheLastRevisionWhileTheNewOneCannotBeHad) {
  map_demo();
  set_metadata("r1", {kDemo});
  add_remote_instance("10.0.0.1:20880", "r1");
  registry_.watch(kDemo);
  ASSERT_TRUE(shows({demo_at("10.0.0.1:20880")}));
  add_remote_instance("10.0.0.1:20880", "r2");
  ASSERT_TRUE(faulty(ApplicationFault::kUnanswered));
  client_.write("/dubbo/metadata/shop/r3", "{\"services\":[]}");
  add_remote_instance("10.0.0.2:20880", "r3");
  ASSERT_TRUE(faulty(ApplicationFault::kMetadata));
  EXPECT_THAT(registry_.record().providers.at(kDemo), ElementsAre(demo_at("10.0.0.1:20880")));
  set_metadata("r2", {kDemo});
  set_metadata("r3", {kDemo});
  EXPECT_TRUE(shows({demo_at("10.0.0.1:20880"), demo_at("10.0.0.2:20880")}));
}

TEST_F(ApplicationDiscoveryTest, LeavesOutUnreadableInstancesAndKeepsThoseThatBecomeIt) {
  map_demo();
  set_metadata("r1", {kDemo});
  add_remote_instance("10.0.0.1:20880", "r1");
  add_instance("10.0.0.2:20880", "{\"address\":");
  client_.create("/services/shop/no-instance");
  registry_.watch(kDemo);
  ASSERT_TRUE(shows({demo_at("10.0.0.1:20880")}));
  EXPECT_TRUE(faulty(ApplicationFault::kInstance));
  add_instance("10.0.0.1:20880", "[]");
  ASSERT_TRUE(faulty(ApplicationFault::kInstance, 2));
  EXPECT_THAT(registry_.record().providers.at(kDemo), ElementsAre(demo_at("10.0.0.1:20880")));
}

TEST_F(ApplicationDiscoveryTest, CountsAProviderThatIsRegisteredInBothWaysOnce) {
  map_demo();
  set_metadata("r1", {kDemo});
  add_remote_instance("10.0.0.1:20880", "r1");
  add_remote_instance("10.0.0.2:20880", "r1");
  const std::string url = "dubbo://10.0.0.1:20880/" + kDemo + "?interface=" + kDemo + "&weight=7";
  client_.create_all("/dubbo/" + kDemo + "/providers/" + dubbo::url_encode(url));
  registry_.watch(kDemo);
  EXPECT_TRUE(shows({url, demo_at("10.0.0.2:20880")}));
  client_.remove("/dubbo/" + kDemo + "/providers/" + dubbo::url_encode(url));
  EXPECT_TRUE(shows({demo_at("10.0.0.1:20880"), demo_at("10.0.0.2:20880")}));
}

TEST_F(ApplicationDiscoveryTest, SharesAnApplicationAmongItsInterfaces) {
  client_.write("/dubbo/mapping/" + kOther, "shop");
  map_demo();
  set_metadata("r1", {kDemo, kOther});
  add_remote_instance("10.0.0.1:20880", "r1");
  registry_.watch(kDemo);
  ASSERT_TRUE(shows({demo_at("10.0.0.1:20880")}));
  registry_.watch(kOther);
  ASSERT_TRUE(registry_.wait_providers(kOther, 1));
  registry_.unwatch(kDemo);
  client_.remove("/services/shop/10.0.0.1:20880");
  ASSERT_TRUE(registry_.wait_providers(kOther, 0));
  EXPECT_EQ(registry_.record().providers.at(kDemo).size(), 1U) << "somebody still reports it";
  registry_.unwatch(kOther);
  add_remote_instance("10.0.0.1:20880", "r1");
  registry_.watch(kDemo);
  EXPECT_TRUE(shows({demo_at("10.0.0.1:20880")}));
}

TEST_F(ApplicationDiscoveryTest, FollowsAMappingThatChanges) {
  client_.write("/dubbo/mapping/" + kDemo, "nobody, ../x");
  set_metadata("r1", {kDemo});
  add_remote_instance("10.0.0.1:20880", "r1");
  registry_.watch(kDemo);
  ASSERT_TRUE(shows({}));
  client_.write("/dubbo/mapping/" + kDemo, "nobody,shop");
  ASSERT_TRUE(shows({demo_at("10.0.0.1:20880")}));
  client_.write("/dubbo/mapping/" + kDemo, "nobody");
  EXPECT_TRUE(shows({}));
}

TEST_F(ApplicationDiscoveryTest, WatchesAgainInANewSession) {
  map_demo();
  set_metadata("r1", {kDemo});
  add_remote_instance("10.0.0.1:20880", "r1");
  registry_.watch(kDemo);
  ASSERT_TRUE(shows({demo_at("10.0.0.1:20880")}));
  const dubbo::Url own = *dubbo::Url::parse("dubbo://10.0.0.7:20882/a.B?interface=a.B");
  registry_.register_url(own);
  ASSERT_TRUE(registry_.wait_registered(own));
  expire_session(server_.address(), *client_.owner("/dubbo/a.B/providers/" + own.to_node_name()));
  ASSERT_TRUE(registry_.wait_until([](const auto& record) { return record.connections >= 2; }));
  add_remote_instance("10.0.0.2:20880", "r1");
  EXPECT_TRUE(shows({demo_at("10.0.0.1:20880"), demo_at("10.0.0.2:20880")}));
  add_remote_instance("10.0.0.2:20880", "0");
  EXPECT_TRUE(shows({demo_at("10.0.0.1:20880")}));
  client_.write("/dubbo/mapping/" + kDemo, "nobody");
  EXPECT_TRUE(shows({}));
}

TEST_F(ApplicationDiscoveryTest, AsksTheInstanceWhereItsServicesAreKeptThere) {
  const LoopbackListener provider([](int peer) {
    std::array<char, 4096> request{};
    if (recv(peer, request.data(), request.size(), 0) <= 0) return;
    const std::string answer = answer_frame(1, "\x91" + hessian_metadata("r1", {kDemo}, 20880));
    send(peer, answer.data(), answer.size(), MSG_NOSIGNAL);
    while (recv(peer, request.data(), request.size(), 0) > 0) {
    }
  });
  map_demo();
  const std::string more =
      R"(,"dubbo.metadata-service.url-params":"{\"protocol\":\"dubbo\",\"port\":\")" +
      std::to_string(provider.port()) + R"(\"}")";
  add_instance("127.0.0.1:1", instance("127.0.0.1:1", "r1", "local", more));
  registry_.watch(kDemo);
  EXPECT_TRUE(shows({demo_at("127.0.0.1:20880")}));
}

TEST_F(ApplicationDiscoveryTest, DoesNotWaitForAnInstanceThatDoesNotAnswer) {
  const LoopbackListener silent([](int peer) {
    std::array<char, 4096> request{};
    while (recv(peer, request.data(), request.size(), 0) > 0) {
    }
  });
  map_demo();
  set_metadata("r1", {kDemo});
  add_remote_instance("10.0.0.1:20880", "r1");
  const std::string address = "127.0.0.1:" + std::to_string(silent.port());
  add_instance(address, instance(address, "r2", "local"));
  registry_.watch(kDemo);
  EXPECT_TRUE(shows({demo_at("10.0.0.1:20880")}));
  EXPECT_TRUE(faulty(ApplicationFault::kUnanswered));
}

TEST(ApplicationDiscovery, FollowsTheGroupAndTheRootPathOfTheAddress) {
  ZookeeperServer server;
  ZookeeperClient client(server.address());
  for (const std::string folder : {"/red/shop/", "/apps/shop/"}) {
    const std::string address = folder == "/red/shop/" ? "10.0.0.1:20880" : "10.0.0.2:20880";
    client.write(folder + address, instance(address, "r1", "remote"));
  }
  client.write("/red/mapping/" + kDemo, "shop");
  client.write("/red/metadata/shop/r1", metadata("r1", {kDemo}));
  RegistryOnThread of_group(server.url() + "?group=red");
  of_group.watch(kDemo);
  ASSERT_TRUE(of_group.wait_providers(kDemo, 1));
  EXPECT_THAT(of_group.record().providers.at(kDemo), ElementsAre(demo_at("10.0.0.1:20880")));
  RegistryOnThread of_root(server.url() + "?group=red&rootPath=/apps");
  of_root.watch(kDemo);
  ASSERT_TRUE(of_root.wait_providers(kDemo, 1));
  EXPECT_THAT(of_root.record().providers.at(kDemo), ElementsAre(demo_at("10.0.0.2:20880")));
}

TEST(ApplicationDiscovery, CanBeSwitchedOff) {
  ZookeeperServer server;
  ZookeeperClient client(server.address());
  client.write("/dubbo/mapping/" + kDemo, "shop");
  client.write("/dubbo/metadata/shop/r1", metadata("r1", {kDemo}));
  client.write("/services/shop/10.0.0.1:20880", instance("10.0.0.1:20880", "r1", "remote"));
  RegistryOnThread registry(server.url(), {.application_discovery = false});
  registry.watch(kDemo);
  ASSERT_TRUE(registry.wait_providers(kDemo, 0));
  EXPECT_THAT(registry.record().providers.at(kDemo), IsEmpty());
}

}  // namespace
}  // namespace skiff::registry
