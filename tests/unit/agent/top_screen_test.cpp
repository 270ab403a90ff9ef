#include "agent/top_screen.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace skiff::agent {
namespace {

using ::testing::HasSubstr;

TrafficSample before() {
  TrafficSample sample;
  sample.services["com.example.Busy"] = {
      .requests = 1000, .failures = 0, .buckets = {{0.001, 500}, {0.01, 1000}}};
  sample.services["com.example.Quiet"] = {.requests = 7, .failures = 1, .buckets = {}};
  sample.figures["skiff_inbound_requests_total"] = 10;
  return sample;
}

TrafficSample after() {
  TrafficSample sample = before();
  sample.version = "0.1.0";
  sample.services["com.example.Busy"] = {
      .requests = 1300, .failures = 3, .buckets = {{0.001, 650}, {0.01, 1300}}};
  sample.services["com.example.New"] = {.requests = 1, .failures = 0, .buckets = {{0.001, 1}}};
  sample.figures = {{"skiff_ready", 1},
                    {"skiff_outbound_in_flight", 4},
                    {"skiff_outbound_connections", 2},
                    {"skiff_upstream_connections", 3},
                    {"skiff_inbound_requests_total", 34},
                    {"skiff_inbound_in_flight", 1}};
  return sample;
}

TEST(TopScreen, ShowsTheBusiestServiceFirst) {
  EXPECT_EQ(top_screen(before(), after(), 2, std::nullopt),
            "skiff 0.1.0, ready; 3 services, 150 requests/s, 1.5 failed/s, 4 in flight\n"
            "consumers: 2 connections; to providers: 3; inbound: 12 requests/s, 0 failed/s, 1 in "
            "flight\n"
            "\n"
            "   REQ/S    FAIL/S      P50      P99      REQUESTS  SERVICE\n"
            "     150       1.5    1.0ms    9.8ms          1300  com.example.Busy\n"
            "     0.5         0    500us    990us             1  com.example.New\n"
            "       0         0        -        -             7  com.example.Quiet\n");
}

TEST(TopScreen, OfAnAgentWithoutTrafficSaysSo) {
  const std::string screen = top_screen({}, {}, 1, ScreenSize{});
  EXPECT_THAT(screen, HasSubstr("NOT READY; 0 services, 0 requests/s"));
  EXPECT_THAT(screen, testing::EndsWith("  no request yet\n"));
}

TEST(TopScreen, FitsTheTerminal) {
  TrafficSample many;
  for (int i = 0; i < 200; ++i) {
    many.services["com.example.a.very.long.name.Service" + std::to_string(i)].requests = i;
  }
  for (const ScreenSize size :
       {ScreenSize{.rows = 24, .columns = 80}, ScreenSize{.rows = 10, .columns = 20},
        ScreenSize{.rows = 4, .columns = 5}, ScreenSize{.rows = 1, .columns = 1}}) {
    const std::string screen = top_screen({}, many, 1, size);
    EXPECT_EQ(static_cast<std::size_t>(std::count(screen.begin(), screen.end(), '\n')), size.rows);
    std::size_t longest = 0;
    for (std::size_t at = 0; at < screen.size();) {
      const auto end = screen.find('\n', at);
      longest = std::max(longest, end - at);
      at = end + 1;
    }
    EXPECT_LE(longest, size.columns);
  }
  EXPECT_THAT(top_screen({}, many, 1, ScreenSize{.rows = 24, .columns = 80}),
              testing::EndsWith("  and 181 more\n"));
}

TEST(TopScreen, ShowsNamesThatOthersChoseAsText) {
  TrafficSample sample;
  sample.services["a\x1b[31mB"].requests = 1;
  EXPECT_THAT(top_screen({}, sample, 1, std::nullopt), HasSubstr("a?[31mB"));
}

}  // namespace
}  // namespace skiff::agent
