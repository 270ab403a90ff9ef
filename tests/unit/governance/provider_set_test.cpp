#include "governance/provider_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace skiff::governance {
namespace {

using testing::ElementsAre;

std::vector<std::size_t> members(const ProviderSet& set) {
  std::vector<std::size_t> indices;
  set.for_each([&](std::size_t i) { indices.push_back(i); });
  return indices;
}

TEST(ProviderSet, OfAllHasAsManyAsItsSize) {
  for (const std::size_t size : {0U, 1U, 63U, 64U, 65U, 128U, 1000U}) {
    const ProviderSet all = ProviderSet::all(size);
    EXPECT_EQ(all.count(), size);
    EXPECT_EQ(members(all).size(), size);
    EXPECT_EQ(all.empty(), size == 0);
    EXPECT_TRUE(ProviderSet::none(size).empty());
  }
}

TEST(ProviderSet, IsCombinedMemberByMember) {
  ProviderSet left = ProviderSet::none(130);
  ProviderSet right = ProviderSet::none(130);
  for (const std::size_t i : {0U, 64U, 129U}) left.add(i);
  for (const std::size_t i : {1U, 64U}) right.add(i);
  EXPECT_TRUE(left.intersects(right));
  ProviderSet both = left;
  EXPECT_THAT(members(both &= right), ElementsAre(64));
  ProviderSet either = left;
  EXPECT_THAT(members(either |= right), ElementsAre(0, 1, 64, 129));
  ProviderSet rest = left;
  EXPECT_THAT(members(rest -= right), ElementsAre(0, 129));
  EXPECT_FALSE(rest.intersects(right));
  left.remove(0);
  EXPECT_FALSE(left.contains(0));
  EXPECT_TRUE(left.contains(129));
}

TEST(ProviderSet, HasTheHashOfItsMembers) {
  ProviderSet one = ProviderSet::none(70);
  ProviderSet other = ProviderSet::none(70);
  one.add(69);
  EXPECT_NE(one.hash(), other.hash());
  other.add(69);
  EXPECT_EQ(one.hash(), other.hash());
  EXPECT_EQ(one, other);
}

}  // namespace
}  // namespace skiff::governance
