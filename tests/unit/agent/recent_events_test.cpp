#include "agent/recent_events.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/logger.h>

#include <string>

namespace skiff::agent {
namespace {

using ::testing::MatchesRegex;

// The list is the process's: each test fills it with lines of its own.
class RecentEvents : public testing::Test {
 protected:
  RecentEvents() { log_.set_level(spdlog::level::debug); }

  spdlog::logger log_{"test", recent_events_sink()};
};

TEST_F(RecentEvents, HaveTheirTimeLevelAndText) {
  log_.warn("provider {} is down", "10.0.0.5:20880");
  const RecentEvent event = recent_events().back();
  EXPECT_EQ(event.level, "warning");
  EXPECT_EQ(event.text, "provider 10.0.0.5:20880 is down");
  EXPECT_THAT(event.time, MatchesRegex("20..-..-..T..:..:..[.]...Z"));
}

TEST_F(RecentEvents, AreNotWhatOnlyDevelopersRead) {
  log_.info("the last");
  log_.debug("a detail");
  EXPECT_EQ(recent_events().back().text, "the last");
}

TEST_F(RecentEvents, AreTheLatestOnesOnly) {
  for (std::size_t i = 0; i < 2 * kEventsMax; ++i) log_.info("event {}", i);
  const auto events = recent_events();
  ASSERT_EQ(events.size(), kEventsMax);
  EXPECT_EQ(events.front().text, "event " + std::to_string(kEventsMax));
  EXPECT_EQ(events.back().text, "event " + std::to_string(2 * kEventsMax - 1));
}

TEST_F(RecentEvents, AreCutWhereTheyAreLong) {
  log_.info("{}", std::string(kEventTextMax - 1, 'x') + "\xc3\xa9 and more");
  EXPECT_EQ(recent_events().back().text, std::string(kEventTextMax - 1, 'x'));
}

}  // namespace
}  // namespace skiff::agent
