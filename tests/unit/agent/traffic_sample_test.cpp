#include "agent/traffic_sample.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace skiff::agent {
namespace {

using ::testing::IsEmpty;
using ::testing::Optional;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

constexpr const char* kMetrics = R"(# HELP skiff_requests_total Requests
# TYPE skiff_requests_total counter
skiff_requests_total{interface="a.B",method="hi",outcome="ok"} 90
skiff_requests_total{interface="a.B",method="hi",outcome="timeout"} 6
skiff_requests_total{interface="a.B",method="note",outcome="one_way"} 4
skiff_request_duration_seconds_bucket{interface="a.B",le="0.001"} 50
skiff_request_duration_seconds_bucket{interface="a.B",le="0.01"} 90
skiff_request_duration_seconds_bucket{interface="a.B",le="+Inf"} 100
skiff_request_duration_seconds_count{interface="a.B"} 100
skiff_build_info{version="0.1.0",commit="abc"} 1
skiff_outbound_in_flight 7 1700000000000
)";

TEST(TrafficSample, HasRequestsAndFailuresByOutcome) {
  const TrafficSample sample = read_traffic(kMetrics);
  const ServiceTraffic& traffic = sample.services.at("a.B");
  EXPECT_EQ(traffic.requests, 100);
  EXPECT_EQ(traffic.failures, 6);
  EXPECT_EQ(traffic.buckets, (LatencyBuckets{{0.001, 50}, {0.01, 90}, {kInfinity, 100}}));
  EXPECT_EQ(sample.version, "0.1.0");
  EXPECT_EQ(sample.figure("skiff_outbound_in_flight"), 7);
  EXPECT_EQ(sample.figure("skiff_nothing"), 0);
}

TEST(TrafficSample, LeavesOutWhatCannotBeRead) {
  for (const char* text :
       {"", "\n\n", "#", "{}", "skiff_requests_total", "skiff_requests_total{interface=\"a\" 1",
        "skiff_requests_total{interface=\"a\"}", "skiff_requests_total{interface=\"a\"} x",
        "skiff_requests_total{interface=\"a\"} NaN", "skiff_requests_total{interface=\"a\\",
        "<html><body>no metrics</body></html>"}) {
    EXPECT_THAT(read_traffic(text).services, IsEmpty()) << text;
  }
}

TEST(TrafficSample, ReadsLabelsOfAnyText) {
  const TrafficSample sample =
      read_traffic(R"(skiff_requests_total{interface="a\"} 1,\\\n{b=\"c\"",method="m"} 5)");
  EXPECT_EQ(sample.services.begin()->first, "a\"} 1,\\\n{b=\"c\"");
  EXPECT_EQ(sample.services.begin()->second.requests, 5);
}

TEST(TrafficSample, DiffersFromAnEarlierOne) {
  const ServiceTraffic before{.requests = 10, .failures = 1, .buckets = {{0.1, 8}, {1, 10}}};
  const ServiceTraffic after{.requests = 30, .failures = 4, .buckets = {{0.1, 20}, {1, 30}}};
  const ServiceTraffic counted = counted_between(before, after);
  EXPECT_EQ(counted.requests, 20);
  EXPECT_EQ(counted.failures, 3);
  EXPECT_EQ(counted.buckets, (LatencyBuckets{{0.1, 12}, {1, 20}}));
}

TEST(TrafficSample, OfAnotherProcessStartsAnew) {
  const ServiceTraffic counted =
      counted_between({.requests = 100, .failures = 0, .buckets = {{1, 100}}},
                      {.requests = 3, .failures = 1, .buckets = {{1, 3}}});
  EXPECT_EQ(counted.requests, 3);
  EXPECT_EQ(counted.failures, 1);
  EXPECT_EQ(counted.buckets, (LatencyBuckets{{1, 3}}));
}

TEST(Quantile, IsEstimatedWithinItsBucket) {
  const LatencyBuckets buckets = {{0.001, 50}, {0.01, 90}, {kInfinity, 100}};
  EXPECT_THAT(quantile(buckets, 0.5), Optional(testing::DoubleEq(0.001)));
  EXPECT_THAT(quantile(buckets, 0.7), Optional(testing::DoubleEq(0.0055)));
  EXPECT_THAT(quantile(buckets, 0.99), Optional(0.01)) << "nothing is known beyond the last bound";
}

TEST(Quantile, IsNothingWithoutRequests) {
  EXPECT_EQ(quantile({}, 0.5), std::nullopt);
  EXPECT_EQ(quantile({{0.1, 0}, {kInfinity, 0}}, 0.5), std::nullopt);
}

}  // namespace
}  // namespace skiff::agent
