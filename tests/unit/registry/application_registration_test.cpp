// Providers that the agent registers by application, in a real ZooKeeper.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "registry/application/application_names.h"
#include "registry/application/metadata_info.h"
#include "registry/application/service_instance.h"
#include "registry/limits.h"
#include "registry/registry.h"
#include "support/eventually.h"
#include "support/registry_on_thread.h"
#include "support/zookeeper_client.h"
#include "support/zookeeper_server.h"

namespace skiff::registry {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

const std::string kDemo = "com.example.Demo";
const std::string kOther = "com.example.Other";
const std::string kInstance = "/services/shop/10.0.0.5:20882";
const std::string kMapping = "/dubbo/mapping/" + kDemo;

dubbo::Url provider(const std::string& interface, const std::string& more = "",
                    const std::string& application = "shop") {
  return *dubbo::Url::parse("dubbo://10.0.0.5:20882/" + interface + "?application=" + application +
                            "&interface=" + interface + more +
                            "&methods=hi&side=provider&timestamp=1764000000000");
}

class ApplicationRegistrationTest : public testing::Test {
 protected:
  static RegistryOptions options(milliseconds check_interval = ListProtection().check_interval) {
    return {.check_interval = check_interval,
            .application_discovery = false,
            .application_registration = true};
  }

  RegistryOnThread& start(milliseconds check_interval = ListProtection().check_interval) {
    registry_ = std::make_unique<RegistryOnThread>(server_.url(), options(check_interval));
    return *registry_;
  }

  std::string revision() {
    if (!client_.exists(kInstance)) return {};
    const auto instance = parse_service_instance(client_.data(kInstance));
    return instance ? instance->revision : std::string();
  }

  // The interfaces that the instance's revision exports.
  std::vector<std::string> exported() {
    const std::string now = revision();
    if (now.empty()) return {};
    const auto info = parse_metadata_json(client_.data("/dubbo/metadata/shop/" + now), now);
    std::vector<std::string> interfaces;
    if (!info) return interfaces;
    for (const ServiceInfo& service : info->services()) interfaces.push_back(service.interface);
    return interfaces;
  }

  bool exports(const std::vector<std::string>& interfaces) {
    return eventually([&] { return exported() == interfaces; });
  }
  bool holds(const std::string& path, const std::string& data) {
    return eventually([&] { return client_.exists(path) && client_.data(path) == data; });
  }
  bool faulty(ApplicationFault fault) {
    return registry_->wait_until([fault](const RegistryRecord& record) {
      return record.application_faults[static_cast<std::size_t>(fault)] > 0;
    });
  }

  ZookeeperServer server_;
  ZookeeperClient client_{server_.address()};
  std::unique_ptr<RegistryOnThread> registry_;
};

TEST_F(ApplicationRegistrationTest, WritesInstanceMetadataAndMapping) {
  start().register_url(provider(kDemo));
  ASSERT_TRUE(exports({kDemo}));
  ASSERT_TRUE(holds(kMapping, "shop"));
  const auto instance = parse_service_instance(client_.data(kInstance));
  ASSERT_TRUE(instance);
  EXPECT_EQ(instance->host, "10.0.0.5");
  EXPECT_EQ(instance->port, 20882);
  EXPECT_EQ(instance->dubbo_port, 20882);
  EXPECT_EQ(instance->storage, ServiceInstance::Storage::kRemote);
  EXPECT_EQ(client_.owner(kInstance),
            client_.owner("/dubbo/" + kDemo + "/providers/" + provider(kDemo).to_node_name()));
  EXPECT_EQ(client_.owner(kMapping), 0);
  EXPECT_EQ(client_.owner("/dubbo/metadata/shop/" + revision()), 0);
}

TEST_F(ApplicationRegistrationTest, WritesNothingWhereItIsOff) {
  RegistryOnThread registry(server_.url());
  registry.register_url(provider(kDemo));
  ASSERT_TRUE(registry.wait_registered(provider(kDemo)));
  // Were it on, this one's instance would not come before.
  start().register_url(provider(kOther, "", "depot"));
  ASSERT_TRUE(eventually([&] { return client_.exists("/services/depot/10.0.0.5:20882"); }));
  EXPECT_FALSE(client_.exists("/services/shop"));
  EXPECT_FALSE(client_.exists(kMapping));
}

TEST_F(ApplicationRegistrationTest, SetsTheInstanceInPlaceWhenProvidersComeAndGo) {
  RegistryOnThread& registry = start();
  registry.register_url(provider(kDemo));
  ASSERT_TRUE(exports({kDemo}));
  const std::string first = revision();
  const auto created = client_.creation(kInstance);
  registry.register_url(provider(kOther));
  ASSERT_TRUE(exports({kDemo, kOther}));
  EXPECT_THAT(client_.children("/services/shop"), SizeIs(1));
  registry.unregister_url(provider(kOther));
  ASSERT_TRUE(exports({kDemo}));
  EXPECT_EQ(revision(), first);
  EXPECT_EQ(client_.creation(kInstance), created) << "it was never away";
  EXPECT_EQ(client_.version(kInstance), 2) << "and set twice";
}

TEST_F(ApplicationRegistrationTest, DeletesTheInstanceWithItsLastProviderAndNothingElse) {
  RegistryOnThread& registry = start();
  registry.register_url(provider(kDemo));
  ASSERT_TRUE(exports({kDemo}));
  ASSERT_TRUE(holds(kMapping, "shop"));
  const std::string metadata = "/dubbo/metadata/shop/" + revision();
  registry.unregister_url(provider(kDemo));
  ASSERT_TRUE(registry.wait_unregistered(provider(kDemo)));
  EXPECT_FALSE(client_.exists(kInstance)) << "it goes before the provider's own node";
  EXPECT_TRUE(client_.exists(metadata));
  EXPECT_EQ(client_.data(kMapping), "shop");
  registry.register_url(provider(kDemo));
  EXPECT_TRUE(exports({kDemo})) << "it comes back";
}

TEST_F(ApplicationRegistrationTest, LeavesTheInstanceOfAnotherSessionWhereItHasNone) {
  client_.create_all(kInstance);
  RegistryOnThread& registry = start();
  registry.unregister_url(provider(kDemo));
  // What is to go is looked at no later than what is to come.
  registry.register_url(provider(kOther, "", "depot"));
  ASSERT_TRUE(eventually([&] { return client_.exists("/services/depot/10.0.0.5:20882"); }));
  EXPECT_TRUE(client_.exists(kInstance));
}

TEST_F(ApplicationRegistrationTest, WritesManyProvidersAtOnceAsOneRevision) {
  RegistryOnThread& registry = start();
  std::vector<std::string> interfaces;
  for (int i = 1'000; i < 1'300; ++i) interfaces.push_back("com.example.S" + std::to_string(i));
  for (const std::string& interface : interfaces) registry.register_url(provider(interface));
  ASSERT_TRUE(exports(interfaces));
  EXPECT_LE(client_.children("/dubbo/metadata/shop").size(), 3U);
  EXPECT_TRUE(
      eventually([&] { return client_.children("/dubbo/mapping").size() == interfaces.size(); }));
}

TEST_F(ApplicationRegistrationTest, MakesFewRevisionsOfProvidersThatComeOneByOne) {
  RegistryOnThread& registry = start();
  ASSERT_TRUE(registry.wait_connected());
  const auto began = steady_clock::now();
  std::vector<std::string> interfaces;
  const auto register_next = [&] {
    interfaces.push_back("com.example.S" + std::to_string(10'000 + interfaces.size()));
    registry.register_url(provider(interfaces.back()));
    return registry.wait_registered(provider(interfaces.back()));
  };
  ASSERT_TRUE(eventually([&] { return register_next() && client_.exists(kInstance); }))
      << "the first ones do not wait for the last";
  ASSERT_TRUE(register_next());
  ASSERT_TRUE(exports(interfaces));
  // At least this pause lies before each.
  const auto pauses = (steady_clock::now() - began) / kApplicationPause;
  EXPECT_LE(client_.children("/dubbo/metadata/shop").size(), static_cast<std::size_t>(pauses));
}

TEST_F(ApplicationRegistrationTest, HasAnInstanceForEachAddressAndApplication) {
  RegistryOnThread& registry = start();
  dubbo::Url moved = provider(kDemo);
  moved.host = "10.0.0.6";
  registry.register_url(provider(kDemo));
  registry.register_url(moved);
  registry.register_url(provider(kDemo, "&group=g", "depot"));
  ASSERT_TRUE(exports({kDemo}));
  ASSERT_TRUE(eventually([&] { return client_.children("/services/shop").size() == 2; }));
  EXPECT_TRUE(eventually([&] { return client_.exists("/services/depot/10.0.0.5:20882"); }));
  EXPECT_TRUE(holds(kMapping, "depot,shop"));
  registry.unregister_url(provider(kDemo));
  ASSERT_TRUE(eventually([&] { return !client_.exists(kInstance); }));
  EXPECT_TRUE(client_.exists("/services/shop/10.0.0.6:20882"));
}

TEST_F(ApplicationRegistrationTest, AddsItsNameToTheMappingsOfOthers) {
  client_.write(kMapping, "depot, bazaar");
  client_.write("/dubbo/mapping/" + kOther, "depot,shop");
  RegistryOnThread& registry = start();
  registry.register_url(provider(kDemo));
  registry.register_url(provider(kOther));
  EXPECT_TRUE(holds(kMapping, "depot, bazaar,shop"));
  ASSERT_TRUE(exports({kDemo, kOther}));
  EXPECT_EQ(client_.version("/dubbo/mapping/" + kOther), 1) << "it was in it already";
}

TEST_F(ApplicationRegistrationTest, LosesNoNameWhereManyAddTheirs) {
  std::vector<std::unique_ptr<RegistryOnThread>> registries;
  std::vector<std::string> names;
  for (int i = 0; i < 8; ++i) {
    registries.push_back(std::make_unique<RegistryOnThread>(server_.url(), options()));
    names.push_back("app" + std::to_string(i));
  }
  for (const auto& registry : registries) ASSERT_TRUE(registry->wait_connected());
  for (std::size_t i = 0; i < registries.size(); ++i) {
    registries[i]->register_url(provider(kDemo, "", names[i]));
  }
  EXPECT_TRUE(eventually([&] {
    return client_.exists(kMapping) && parse_application_names(client_.data(kMapping)) == names;
  }));
}

TEST_F(ApplicationRegistrationTest, LeavesAMappingThatIsTooLarge) {
  const std::string lie(kMaxMappingBytes, 'x');
  client_.write(kMapping, lie);
  start().register_url(provider(kDemo));
  EXPECT_TRUE(faulty(ApplicationFault::kLimit));
  EXPECT_EQ(client_.data(kMapping), lie);
  EXPECT_TRUE(exports({kDemo}));
}

TEST_F(ApplicationRegistrationTest, HasNoInstanceWhereItsMetadataAreTooLarge) {
  RegistryOnThread& registry = start();
  registry.register_url(provider(kDemo));
  ASSERT_TRUE(exports({kDemo}));
  constexpr int kMany = 40;
  std::vector<dubbo::Url> large;
  large.reserve(kMany);
  for (int i = 0; i < kMany; ++i) {
    large.push_back(
        provider("com.example.Large" + std::to_string(i), "&large=" + std::string(30'000, 'x')));
  }
  for (const dubbo::Url& url : large) registry.register_url(url);
  ASSERT_TRUE(faulty(ApplicationFault::kLimit));
  EXPECT_TRUE(eventually([&] { return !client_.exists(kInstance); }));
  for (const dubbo::Url& url : large) EXPECT_TRUE(registry.wait_registered(url));
  EXPECT_EQ(registry.record().connections, 1) << "the session is none the worse for it";
  for (const dubbo::Url& url : large) registry.unregister_url(url);
  EXPECT_TRUE(exports({kDemo}));
}

TEST_F(ApplicationRegistrationTest, WaitsForMetadataThatItMayNotWrite) {
  for (const char* open : {"/dubbo/mapping", "/services/shop"}) client_.create_all(open);
  {
    RegistryOnThread owner("zookeeper://user:secret@" + server_.address(), options());
    owner.register_url(provider(kDemo));
    ASSERT_TRUE(eventually([&] { return client_.exists(kInstance); }));
  }
  ASSERT_FALSE(client_.exists(kInstance)) << "its session is closed";
  start().register_url(provider(kOther));
  EXPECT_TRUE(faulty(ApplicationFault::kUnwritten));
  EXPECT_TRUE(registry_->wait_registered(provider(kOther)));
  EXPECT_FALSE(client_.exists(kInstance));
}

TEST_F(ApplicationRegistrationTest, LeavesMetadataThatSayTheSameInOtherWords) {
  {
    RegistryOnThread first(server_.url(), options());
    first.register_url(provider(kDemo));
    ASSERT_TRUE(exports({kDemo}));
  }
  const std::string metadata =
      "/dubbo/metadata/shop/" + client_.children("/dubbo/metadata/shop").front();
  const std::string theirs = " " + client_.data(metadata);
  client_.write(metadata, theirs);
  start().register_url(provider(kDemo));
  ASSERT_TRUE(exports({kDemo}));
  EXPECT_EQ(client_.data(metadata), theirs);
}

TEST_F(ApplicationRegistrationTest, SetsMetadataThatLie) {
  {
    RegistryOnThread first(server_.url(), options());
    first.register_url(provider(kDemo));
    ASSERT_TRUE(exports({kDemo}));
  }
  const std::string metadata =
      "/dubbo/metadata/shop/" + client_.children("/dubbo/metadata/shop").front();
  client_.write(metadata, "{}");
  start().register_url(provider(kDemo));
  EXPECT_TRUE(exports({kDemo}));
}

TEST_F(ApplicationRegistrationTest, ReplacesTheInstanceOfAnotherSession) {
  client_.create_all("/services/shop");
  client_.create(kInstance, /*ephemeral=*/true);
  start().register_url(provider(kDemo));
  ASSERT_TRUE(exports({kDemo}));
  EXPECT_NE(client_.owner(kInstance), client_.session_id());
}

TEST_F(ApplicationRegistrationTest, IsWrittenAgainIntoANewSession) {
  start().register_url(provider(kDemo));
  ASSERT_TRUE(exports({kDemo}));
  const auto lost = *client_.owner(kInstance);
  expire_session(server_.address(), lost);
  EXPECT_TRUE(eventually([&] {
    const auto owner = client_.owner(kInstance);
    return owner && owner != lost;
  }));
  EXPECT_EQ(exported(), std::vector{kDemo});
}

TEST_F(ApplicationRegistrationTest, IsWrittenAgainWhereTheServerLostAll) {
  RegistryOnThread registry(server_.url() + "?session=1000", options());
  registry.register_url(provider(kDemo));
  ASSERT_TRUE(exports({kDemo}));
  server_.stop();
  server_.wipe_data();
  server_.start();
  ZookeeperClient client(server_.address());
  EXPECT_TRUE(eventually([&] {
    return client.exists(kInstance) && client.exists(kMapping) &&
           client.children("/dubbo/metadata/shop").size() == 1;
  }));
}

TEST_F(ApplicationRegistrationTest, PutsRightWhatOthersChange) {
  RegistryOnThread& registry = start(milliseconds(100));
  registry.register_url(provider(kDemo));
  ASSERT_TRUE(exports({kDemo}));
  ASSERT_TRUE(holds(kMapping, "shop"));
  const std::string text = client_.data(kInstance);
  const std::string metadata = "/dubbo/metadata/shop/" + revision();
  client_.remove(kInstance);
  EXPECT_TRUE(holds(kInstance, text));
  client_.write(kInstance, "{}");
  EXPECT_TRUE(holds(kInstance, text));
  client_.remove(kInstance);
  client_.create(kInstance, /*ephemeral=*/true);
  EXPECT_TRUE(eventually([&] { return client_.owner(kInstance) != client_.session_id(); }));
  client_.write(kMapping, "depot");
  EXPECT_TRUE(holds(kMapping, "depot,shop"));
  client_.remove(metadata);
  EXPECT_TRUE(eventually([&] { return client_.exists(metadata); }));
  EXPECT_TRUE(registry.wait_until([](const RegistryRecord& r) { return r.lost_nodes >= 5; }));
}

TEST_F(ApplicationRegistrationTest, LeavesOutAnApplicationThatCannotBeANode) {
  RegistryOnThread& registry = start();
  registry.register_url(provider(kDemo, "", "a,b"));
  registry.register_url(provider(kOther, "", "a/b"));
  EXPECT_TRUE(registry.wait_registered(provider(kDemo, "", "a,b")));
  EXPECT_TRUE(registry.wait_registered(provider(kOther, "", "a/b")));
  EXPECT_TRUE(faulty(ApplicationFault::kUnwritten));
  registry.unregister_url(provider(kDemo, "", "a,b"));
  EXPECT_TRUE(registry.wait_unregistered(provider(kDemo, "", "a,b")));
  // Were there an instance of theirs, this one would not come before.
  registry.register_url(provider(kDemo, "", "depot"));
  ASSERT_TRUE(eventually([&] { return client_.exists("/services/depot/10.0.0.5:20882"); }));
  EXPECT_THAT(client_.children("/services"), ElementsAre("depot"));
}

TEST_F(ApplicationRegistrationTest, IsFoundByDiscoveryOnceAtBothLevelsAndAlone) {
  start().register_url(provider(kDemo));
  ASSERT_TRUE(exports({kDemo}));
  ASSERT_TRUE(holds(kMapping, "shop"));
  RegistryOnThread other(server_.url());
  other.watch(kDemo);
  ASSERT_TRUE(other.wait_providers(kDemo, 1));
  EXPECT_EQ(other.record().providers.at(kDemo).front(), provider(kDemo).to_string());
  client_.remove("/dubbo/" + kDemo + "/providers/" + provider(kDemo).to_node_name());
  ASSERT_TRUE(other.wait_until([](const RegistryRecord& record) {
    return record.providers.at(kDemo).size() == 1 &&
           record.providers.at(kDemo).front().find("category=providers") != std::string::npos;
  }));
  registry_->unregister_url(provider(kDemo));
  EXPECT_TRUE(other.wait_providers(kDemo, 0));
}

}  // namespace
}  // namespace skiff::registry
