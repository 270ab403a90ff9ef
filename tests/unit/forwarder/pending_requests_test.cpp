#include "forwarder/inbound/pending_requests.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>

namespace skiff::forwarder {
namespace {

PendingRequest request(std::uint64_t id, std::uint16_t port = 1) {
  return {id, port, dubbo::Serialization::kHessian2, 0};
}

TEST(PendingRequests, TakesEachRequestOnce) {
  PendingRequests pending;
  EXPECT_FALSE(pending.take(7, 1));
  pending.add(request(7));
  EXPECT_FALSE(pending.take(7, 2)) << "another provider's answer";
  EXPECT_TRUE(pending.take(7, 1));
  EXPECT_FALSE(pending.take(7, 1));
}

TEST(PendingRequests, CountsRequestsThatShareAnId) {
  PendingRequests pending;
  for (int i = 0; i < 3; ++i) pending.add(request(0));
  EXPECT_EQ(pending.size(), 3U);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(pending.take(0, 1));
  EXPECT_FALSE(pending.take(0, 1));
}

TEST(PendingRequests, TakesAllOfOnePort) {
  PendingRequests pending;
  for (std::uint64_t id = 0; id < 100; ++id) pending.add(request(id, id % 2 == 0 ? 10 : 20));
  EXPECT_EQ(pending.take_all(10).size(), 50U);
  EXPECT_EQ(pending.size(), 50U);
  EXPECT_FALSE(pending.take(2, 10));
  EXPECT_TRUE(pending.take(3, 20));
  EXPECT_EQ(pending.port_of(5), 20);
  EXPECT_EQ(pending.port_of(4), std::nullopt);
}

TEST(PendingRequests, TakesWhatIsTooOld) {
  PendingRequests pending;
  for (std::uint32_t second = 0; second < 20; ++second) {
    PendingRequest aged = request(second);
    aged.since_s = second;
    pending.add(aged);
  }
  EXPECT_EQ(pending.take_older_than(15).size(), 15U);
  EXPECT_EQ(pending.size(), 5U);
  EXPECT_FALSE(pending.take(14, 1));
  EXPECT_TRUE(pending.take(15, 1));
}

TEST(PendingRequests, AgreesWithAMultimap) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  PendingRequests pending;
  std::multimap<std::uint64_t, int> model;
  for (int i = 0; i < 200'000; ++i) {
    const std::uint64_t id = random() % 300 << (random() % 2 == 0 ? 0 : 55);
    if (random() % 2 == 0 && model.size() < 200) {
      pending.add(request(id));
      model.emplace(id, 0);
    } else {
      const auto known = model.find(id);
      ASSERT_EQ(pending.take(id, 1).has_value(), known != model.end());
      if (known != model.end()) model.erase(known);
    }
    ASSERT_EQ(pending.size(), model.size());
  }
}

}  // namespace
}  // namespace skiff::forwarder
