#include "registry/zookeeper/check_pace.h"

#include <gtest/gtest.h>

#include <map>

namespace skiff::registry {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

TEST(CheckPace, ChecksEachOfManyOnceAnIntervalAndSpreadsThem) {
  constexpr std::size_t kItems = 10'000;
  CheckPace pace(minutes(5));
  std::size_t checked = 0;
  for (milliseconds time{0}; time < minutes(5);) {
    const milliseconds pause = pace.pause();
    const std::size_t due = pace.due(kItems, pause);
    EXPECT_LE(due, 60U) << "33 a second, in turns of up to 1.5 s";
    checked += due;
    time += pause;
  }
  EXPECT_NEAR(static_cast<double>(checked), kItems, 60);
}

TEST(CheckPace, ChecksOneOfOneOnceAnInterval) {
  CheckPace pace(minutes(5));
  std::size_t checked = 0;
  for (int second = 0; second < 3'000; ++second) checked += pace.due(1, seconds(1));
  EXPECT_GE(checked, 9U);
  EXPECT_LE(checked, 11U);
}

TEST(CheckPace, NeverChecksMoreThanTheLimit) {
  CheckPace pace(seconds(1));
  std::size_t checked = 0;
  for (int turn = 0; turn < 20; ++turn) checked += pace.due(1'000'000, milliseconds(500));
  EXPECT_LE(checked, 10 * kMaxChecksPerSecond);
}

TEST(CheckPace, ChecksNothingTwiceInATurn) {
  CheckPace pace(milliseconds(10));
  EXPECT_EQ(pace.due(3, seconds(1)), 3U);
  EXPECT_EQ(pace.due(0, seconds(1)), 0U);
}

TEST(CheckPace, IsOffWithoutAnInterval) {
  EXPECT_FALSE(CheckPace(milliseconds(0)).is_on());
  EXPECT_TRUE(CheckPace(milliseconds(1)).is_on());
}

TEST(CheckPace, TakesEntriesInTurnThoughTheyComeAndGo) {
  std::map<std::string, int> entries = {{"a", 0}, {"b", 0}, {"c", 0}};
  std::string last;
  EXPECT_EQ(next_in_turn(entries, last)->first, "a");
  entries.erase("a");
  EXPECT_EQ(next_in_turn(entries, last)->first, "b");
  EXPECT_EQ(next_in_turn(entries, last)->first, "c");
  EXPECT_EQ(next_in_turn(entries, last)->first, "b");
}

}  // namespace
}  // namespace skiff::registry
