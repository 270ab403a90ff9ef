#include "registry/advertise_address.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace skiff::registry {
namespace {

using testing::HasSubstr;

IpAddress ip(const std::string& text) {
  const auto address = IpAddress::parse(text);
  EXPECT_TRUE(address) << text;
  return address.value_or(IpAddress{});
}

// A machine with the given interfaces whose every route leaves from `source`, if it has one.
class FakeNetwork final : public NetworkView {
 public:
  std::vector<InterfaceAddress> addresses() const override { return interfaces; }
  Result<InterfaceAddress> source_towards(const IpAddress& destination) const override {
    if (destination.is_v6() != source.address.is_v6() || source.interface.empty()) {
      return fail(ErrorCode::kUnavailable, "Network is unreachable");
    }
    return source;
  }

  std::vector<InterfaceAddress> interfaces;
  InterfaceAddress source;
};

FakeNetwork machine() {
  FakeNetwork network;
  network.interfaces = {{"lo", ip("127.0.0.1")},  {"docker0", ip("172.17.0.1")},
                        {"eth0", ip("10.0.0.5")}, {"eth0", ip("fe80::1")},
                        {"eth1", ip("10.9.0.5")}, {"eth1", ip("fd00::5")}};
  network.source = {"eth0", ip("10.0.0.5")};
  return network;
}

Result<AdvertisedAddress> choose(const std::string& advertise, const NetworkView& network,
                                 const std::optional<RegistryServer>& server = std::nullopt) {
  return parse_advertise(advertise).and_then([&](const AdvertiseSpec& spec) {
    return choose_advertised_address(spec, 20882, server, network);
  });
}

TEST(AdvertiseAddress, TakesAGivenAddress) {
  struct Case {
    const char* text;
    const char* host;
    std::uint16_t port;
  };
  for (const Case& given :
       {Case{"10.0.0.9", "10.0.0.9", 20882}, Case{"10.0.0.9:7000", "10.0.0.9", 7000},
        Case{"127.0.0.1", "127.0.0.1", 20882}, Case{"fd00::9", "fd00::9", 20882},
        Case{"[FD00::0:9]:7000", "fd00::9", 7000}, Case{"[fd00::9]", "fd00::9", 20882}}) {
    const auto chosen = choose(given.text, machine());
    ASSERT_TRUE(chosen) << given.text << ": " << chosen.error().message;
    EXPECT_EQ(chosen->host, given.host);
    EXPECT_EQ(chosen->port, given.port);
    EXPECT_EQ(chosen->reason, "--advertise");
  }
}

TEST(AdvertiseAddress, RefusesWhatNobodyCanConnectTo) {
  for (const char* text :
       {"0.0.0.0",        "0.0.0.0:20882",   "0.1.2.3",         "::",        "[::]:1",
        "224.0.0.1",      "ff02::1",         "255.255.255.255", "fe80::1",   "[fe80::1]:20882",
        "fe80::1%eth0",   "::ffff:10.0.0.1", "example.com",     "10.0.0",    "10.0.0.1:0",
        "10.0.0.1:65536", "10.0.0.1:",       "10.0.0.1:x",      "[fd00::1",  " 10.0.0.1",
        "10.0.0.1 ",      "010.0.0.1",       "10.0.0.0/33",     "10.0.0.0/", "10.0.0.0/-1",
        "10.0.0.1/8",     "fd00::1/8",       "fd00::/129",      "x/8",       "10.0.0.0/8x"}) {
    const auto parsed = parse_advertise(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().code, ErrorCode::kInvalidArgument);
    EXPECT_THAT(parsed.error().message, HasSubstr(text));
  }
}

TEST(AdvertiseAddress, SaysWhyALinkLocalAddressIsNone) {
  EXPECT_THAT(parse_advertise("fe80::1").error().message, HasSubstr("link-local"));
}

TEST(AdvertiseAddress, ChoosesTheFirstInterfaceAddressInANetwork) {
  EXPECT_EQ(choose("10.0.0.0/8", machine())->host, "10.0.0.5");
  EXPECT_EQ(choose("10.9.0.0/16", machine())->reason, "first address in 10.9.0.0/16: eth1");
  EXPECT_EQ(choose("fd00::/8", machine())->host, "fd00::5");
  EXPECT_EQ(choose("127.0.0.0/8", machine())->host, "127.0.0.1");
  EXPECT_EQ(choose("0.0.0.0/0", machine())->host, "172.17.0.1") << "loopback is no choice here";
  EXPECT_EQ(choose("::/0", machine())->host, "fd00::5") << "neither is link-local";
}

TEST(AdvertiseAddress, SaysThatNoInterfaceIsInTheNetwork) {
  const auto chosen = choose("192.168.0.0/16", machine());
  ASSERT_FALSE(chosen);
  EXPECT_EQ(chosen.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(chosen.error().message, HasSubstr("192.168.0.0/16"));
}

TEST(AdvertiseAddress, FollowsTheRouteToTheRegistry) {
  const RegistryServer server{ip("10.0.0.9"), "zk1:2181"};
  const auto chosen = choose("", machine(), server);
  ASSERT_TRUE(chosen);
  EXPECT_EQ(chosen->host, "10.0.0.5");
  EXPECT_EQ(chosen->port, 20882);
  EXPECT_EQ(chosen->reason, "route to registry zk1:2181 leaves from eth0");
}

TEST(AdvertiseAddress, SaysThatThereIsNoRouteToTheRegistry) {
  const auto chosen = choose("", FakeNetwork{}, RegistryServer{ip("10.0.0.9"), "zk1:2181"});
  ASSERT_FALSE(chosen);
  EXPECT_THAT(chosen.error().message, HasSubstr("zk1:2181: Network is unreachable"));
}

TEST(AdvertiseAddress, RefusesALinkLocalRoute) {
  FakeNetwork network;
  network.source = {"eth0", ip("fe80::1")};
  const auto chosen = choose("", network, RegistryServer{ip("fe80::2"), "zk1:2181"});
  ASSERT_FALSE(chosen);
  EXPECT_THAT(chosen.error().message, HasSubstr("--advertise"));
}

TEST(AdvertiseAddress, StaysOnThisMachineForTheEmbeddedRegistry) {
  EXPECT_EQ(choose("", machine())->host, "127.0.0.1");
  EXPECT_EQ(choose("10.0.0.0/8", machine())->host, "10.0.0.5");
}

TEST(AdvertiseAddress, AsksTheRealMachine) {
  const auto loopback = choose("", system_network(), RegistryServer{ip("127.0.0.1"), "local:2181"});
  ASSERT_TRUE(loopback) << loopback.error().message;
  EXPECT_EQ(loopback->host, "127.0.0.1");
  EXPECT_EQ(choose("127.0.0.0/8", system_network())->host, "127.0.0.1");
  EXPECT_EQ(resolve_host("127.0.0.1")->to_string(), "127.0.0.1");
  EXPECT_TRUE(resolve_host("localhost")->is_loopback());
  EXPECT_FALSE(resolve_host("no such host"));
}

}  // namespace
}  // namespace skiff::registry
