#include "dubbo/service_key.h"

#include <gtest/gtest.h>

#include <vector>

namespace skiff::dubbo {
namespace {

TEST(ServiceKey, IsWrittenAsDubboWritesIt) {
  EXPECT_EQ((ServiceKey{"a.B", "", ""}).to_string(), "a.B");
  EXPECT_EQ((ServiceKey{"a.B", "g", ""}).to_string(), "g/a.B");
  EXPECT_EQ((ServiceKey{"a.B", "", "1.0"}).to_string(), "a.B:1.0");
  EXPECT_EQ((ServiceKey{"a.B", "g", "1.0"}).to_string(), "g/a.B:1.0");
}

TEST(ServiceKey, TakesTheWiresZeroVersionForNone) {
  EXPECT_EQ(normalized_version("0.0.0"), "");
  EXPECT_EQ(normalized_version("0.0.1"), "0.0.1");
}

struct MatchCase {
  ServiceKey wanted;
  ServiceKey provider;
  bool matches = false;
};

TEST(Matching, FollowsDubbosTable) {
  const std::vector<MatchCase> cases = {
      {{"a.B", "", ""}, {"a.B", "", ""}, true},
      {{"a.B", "", ""}, {"a.C", "", ""}, false},
      {{"*", "", ""}, {"a.C", "", ""}, true},
      {{"a.B", "", ""}, {"a.b", "", ""}, false},
      // Groups: absent matches only absent.
      {{"a.B", "g", ""}, {"a.B", "g", ""}, true},
      {{"a.B", "g", ""}, {"a.B", "", ""}, false},
      {{"a.B", "", ""}, {"a.B", "g", ""}, false},
      {{"a.B", "*", ""}, {"a.B", "g", ""}, true},
      {{"a.B", "*", ""}, {"a.B", "", ""}, true},
      {{"a.B", "x,g", ""}, {"a.B", "g", ""}, true},
      {{"a.B", "x , g", ""}, {"a.B", "g", ""}, true},
      {{"a.B", "x,gg", ""}, {"a.B", "g", ""}, false},
      {{"a.B", ",x", ""}, {"a.B", "", ""}, false},
      {{"a.B", "g", ""}, {"a.B", "*", ""}, false},
      // Versions: equal or any, no lists.
      {{"a.B", "", "1.0"}, {"a.B", "", "1.0"}, true},
      {{"a.B", "", "1.0"}, {"a.B", "", ""}, false},
      {{"a.B", "", ""}, {"a.B", "", "1.0"}, false},
      {{"a.B", "", "*"}, {"a.B", "", "1.0"}, true},
      {{"a.B", "", "*"}, {"a.B", "", ""}, true},
      {{"a.B", "", "1.0,2.0"}, {"a.B", "", "1.0"}, false},
      {{"a.B", "", "0.0.0"}, {"a.B", "", ""}, true},
  };
  for (const MatchCase& c : cases) {
    EXPECT_EQ(matches(c.wanted, c.provider), c.matches)
        << c.wanted.to_string() << " against " << c.provider.to_string();
  }
}

TEST(Matching, CanBeAskedForGroupAndVersionAlone) {
  EXPECT_TRUE(group_matches("a,b", "b"));
  EXPECT_FALSE(group_matches("a,b", ""));
  EXPECT_TRUE(version_matches("0.0.0", ""));
  EXPECT_FALSE(version_matches("1.0", "2.0"));
}

}  // namespace
}  // namespace skiff::dubbo
