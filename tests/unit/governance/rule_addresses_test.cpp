#include "governance/rule_addresses.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace skiff::governance {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(AddressesIn, AreFoundInRulesOfEveryKind) {
  EXPECT_THAT(addresses_in("- {name: gray, addresses: [\"10.0.0.5:20880\", 10.0.0.6:20880]}"),
              ElementsAre("10.0.0.5:20880", "10.0.0.6:20880"));
  EXPECT_THAT(addresses_in("method=a => address=10.0.0.5:20880,10.0.0.5:20880"),
              ElementsAre("10.0.0.5:20880"));
  EXPECT_THAT(addresses_in("override://10.0.0.7:20882/a.Demo?weight=1"),
              ElementsAre("10.0.0.7:20882"));
  EXPECT_THAT(addresses_in("10.0.0.5:20880: x"), ElementsAre("10.0.0.5:20880"));
}

TEST(AddressesIn, AreNoneWithoutAPortOrWithAPattern) {
  EXPECT_THAT(addresses_in("host=10.0.0.5 & address=10.0.0.*:20880 version: v3.0"), IsEmpty());
  EXPECT_THAT(addresses_in("1.2.3.4:99999 1.2.3:4 ::: ..."), IsEmpty());
  EXPECT_THAT(addresses_in(""), IsEmpty());
}

}  // namespace
}  // namespace skiff::governance
