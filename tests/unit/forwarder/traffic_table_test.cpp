#include "forwarder/traffic_table.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <thread>
#include <vector>

#include "forwarder/limits.h"

namespace skiff::forwarder {
namespace {

using std::chrono::nanoseconds;

std::map<std::string, std::size_t> methods_by_service(const TrafficTable& table) {
  std::map<std::string, std::size_t> counts;
  table.for_each([&](const ServiceCells& service) {
    TrafficTable::for_each_method(service,
                                  [&](const MethodCells&) { ++counts[service.interface]; });
  });
  return counts;
}

TEST(TrafficTable, CountsFurtherInterfacesTogether) {
  MetricInterfaces interfaces;
  TrafficTable table(interfaces);
  for (std::size_t i = 0; i < limits::kMetricInterfacesMax; ++i) {
    table.method(table.service("a.S" + std::to_string(i)), "hi");
  }
  EXPECT_EQ(interfaces.size(), limits::kMetricInterfacesMax);
  MethodCells& other = table.method(table.service("a.Further"), "hi");
  EXPECT_EQ(other.service.interface, "(other)");
  EXPECT_EQ(other.name, "(other)");
  EXPECT_EQ(&table.method(table.service("a.Another"), "hello"), &other);
  EXPECT_EQ(table.method(table.service("a.S7"), "hi").service.interface, "a.S7");
  EXPECT_EQ(interfaces.size(), limits::kMetricInterfacesMax);
}

TEST(TrafficTable, TheBoundIsThatOfAllWorkersTogether) {
  MetricInterfaces interfaces;
  TrafficTable first(interfaces);
  TrafficTable second(interfaces);
  for (std::size_t i = 0; i < limits::kMetricInterfacesMax; ++i) {
    first.service("a.S" + std::to_string(i));
  }
  EXPECT_EQ(second.service("a.S0").interface, "a.S0");
  EXPECT_EQ(second.service("b.S0").interface, "(other)");
}

TEST(TrafficTable, CountsFurtherMethodsTogether) {
  MetricInterfaces interfaces;
  TrafficTable table(interfaces);
  ServiceCells& service = table.service("a.Service");
  for (std::size_t i = 0; i < limits::kMethodsPerServiceMax + 10; ++i) {
    table.method(service, "m" + std::to_string(i));
  }
  EXPECT_EQ(table.method(service, "another").name, "(other)");
  EXPECT_EQ(table.method(service, "m7").name, "m7");
  EXPECT_EQ(table.method(service, std::string(limits::kMethodNameMaxBytes + 1, 'x')).name,
            "(other)");
  EXPECT_EQ(methods_by_service(table)["a.Service"], limits::kMethodsPerServiceMax + 1);
}

TEST(TrafficTable, ABoundOfAllMethodsHoldsForAWorker) {
  MetricInterfaces interfaces;
  TrafficTable table(interfaces);
  for (std::size_t i = 0; i < 100; ++i) {
    ServiceCells& service = table.service("a.S" + std::to_string(i));
    for (std::size_t j = 0; j < limits::kMethodsPerServiceMax; ++j) {
      table.method(service, "m" + std::to_string(j));
    }
  }
  std::size_t all = 0;
  for (const auto& [service, methods] : methods_by_service(table)) all += methods;
  EXPECT_LE(all, limits::kMetricMethodsMax + 100 + 1);  // each may have its "(other)"
}

// ThreadSanitizer looks at this.
TEST(TrafficTable, IsReadWhileItGrowsAndCounts) {
  MetricInterfaces interfaces;
  TrafficTable table(interfaces);
  std::thread worker([&] {
    for (std::size_t i = 0; i < 2000; ++i) {
      MethodCells& method =
          table.method(table.service("a.S" + std::to_string(i % 500)), "m" + std::to_string(i % 7));
      TrafficTable::note_end(method, Outcome::kOk, nanoseconds(i), nanoseconds(i / 2));
    }
  });
  std::uint64_t seen = 0;
  while (seen < 2000) {
    std::uint64_t now = 0;
    table.for_each([&](const ServiceCells& service) {
      TrafficTable::for_each_method(
          service, [&](const MethodCells& method) { now += method.ended[0].value(); });
    });
    EXPECT_GE(now, seen);
    seen = now;
  }
  worker.join();
}

// The bucket that is searched one by one.
std::size_t expected_bucket(std::uint64_t value) {
  std::size_t bucket = 0;
  while (bucket < kDurationBounds.size() && value > kDurationBounds[bucket]) ++bucket;
  return bucket;
}

TEST(DurationHistogram, FindsTheBucketOfEveryDuration) {
  std::vector<std::uint64_t> values = {0, 1, 2, 3, 4, 5, 7, 8, 1ULL << 62U};
  for (const std::uint64_t bound : kDurationBounds) {
    values.insert(values.end(), {bound - 1, bound, bound + 1});
  }
  for (unsigned bit = 3; bit < 40; ++bit) {
    for (std::uint64_t part = 0; part < 8; ++part) {
      const std::uint64_t value = (1ULL << bit) + part * (1ULL << bit) / 8;
      values.insert(values.end(), {value - 1, value, value + 1});
    }
  }
  for (const std::uint64_t value : values) {
    DurationHistogram histogram;
    histogram.observe(nanoseconds(static_cast<std::int64_t>(value)));
    Durations sum;
    histogram.add_to(sum);
    EXPECT_EQ(sum.counts[expected_bucket(value)], 1U) << value;
    EXPECT_EQ(sum.nanoseconds, value);
  }
}

TEST(DurationHistogram, TakesWhatIsNegativeForNothing) {
  DurationHistogram histogram;
  histogram.observe(nanoseconds(-5));
  Durations sum;
  histogram.add_to(sum);
  EXPECT_EQ(sum.counts[0], 1U);
  EXPECT_EQ(sum.nanoseconds, 0U);
}

}  // namespace
}  // namespace skiff::forwarder
