#include "governance/policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace skiff::governance {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Policies read(const std::string& parameters, std::vector<std::string>& problems) {
  return read_policies(dubbo::Url::parse("dubbo://10.0.0.1:1/a.Service?" + parameters).value(),
                       problems);
}

Policies read(const std::string& parameters) {
  std::vector<std::string> problems;
  Policies policies = read(parameters, problems);
  EXPECT_THAT(problems, IsEmpty());
  return policies;
}

TEST(ReadPolicies, AreDubbosDefaultsWhereNothingIsSaid) {
  EXPECT_EQ(read("timeout=5&a.b.timeout=3"), Policies());
  EXPECT_EQ(Policies().policy.balance.kind, LoadBalance::kRandom);
  EXPECT_EQ(Policies().policy.mode, ClusterMode::kFailover);
}

TEST(ReadPolicies, ReadEveryNameThatDubboHas) {
  EXPECT_EQ(read("loadbalance=roundrobin").policy.balance.kind, LoadBalance::kRoundRobin);
  EXPECT_EQ(read("loadbalance=leastactive").policy.balance.kind, LoadBalance::kLeastActive);
  EXPECT_EQ(read("loadbalance=consistenthash").policy.balance.kind, LoadBalance::kConsistentHash);
  EXPECT_EQ(read("loadbalance=shortestresponse").policy.balance.kind,
            LoadBalance::kShortestResponse);
  EXPECT_EQ(read("loadbalance=adaptive").policy.balance.kind, LoadBalance::kP2c);
  EXPECT_EQ(read("cluster=failfast").policy.mode, ClusterMode::kFailfast);
  EXPECT_EQ(read("cluster=failsafe").policy.mode, ClusterMode::kFailsafe);
  EXPECT_EQ(read("cluster=failback").policy.mode, ClusterMode::kFailback);
  EXPECT_EQ(read("cluster=forking&forks=3").policy.forks, 3U);
  EXPECT_EQ(read("cluster=broadcast").policy.mode, ClusterMode::kBroadcast);
  EXPECT_EQ(read("cluster=available").policy.mode, ClusterMode::kAvailable);
  EXPECT_TRUE(read("sticky=true").policy.sticky);
}

TEST(ReadPolicies, OfAMethodBeatThoseOfTheServiceAndThoseTheDefaults) {
  const Policies policies = read(
      "default.loadbalance=roundrobin&default.cluster=failfast&cluster=failsafe"
      "&hi.loadbalance=leastactive&bye.sticky=true");
  EXPECT_EQ(policies.policy.balance.kind, LoadBalance::kRoundRobin);
  EXPECT_EQ(policies.policy.mode, ClusterMode::kFailsafe);
  EXPECT_EQ(policies.of("hi").balance.kind, LoadBalance::kLeastActive);
  EXPECT_EQ(policies.of("hi").mode, ClusterMode::kFailsafe);
  EXPECT_TRUE(policies.of("bye").sticky);
  EXPECT_EQ(policies.of("other"), policies.policy);
  EXPECT_EQ(policies.methods.size(), 2U);
}

TEST(ReadPolicies, ReadWhatAConsistentHashHashes) {
  const BalancePolicy balance =
      read("loadbalance=consistenthash&hash.arguments=0,2,x,99&hash.nodes=320").policy.balance;
  EXPECT_THAT(balance.hash_arguments, ElementsAre(0, 2));
  EXPECT_EQ(balance.hash_nodes, 320U);
  EXPECT_EQ(read("hash.nodes=0").policy.balance.hash_nodes, 1U);
}

TEST(ReadPolicies, SayWhatTheyDoNotKnow) {
  std::vector<std::string> problems;
  const Policies policies = read("loadbalance=magic&hi.cluster=mergeable", problems);
  EXPECT_EQ(policies, Policies());
  EXPECT_THAT(problems, ElementsAre(HasSubstr("loadbalance=magic is not known; random is used"),
                                    HasSubstr("cluster=mergeable is not known")));
}

}  // namespace
}  // namespace skiff::governance
