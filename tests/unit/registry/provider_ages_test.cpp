// The timestamps that a registry reports, against a real ZooKeeper whose clock is ours.

#include "registry/zookeeper/provider_ages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include "registry/limits.h"
#include "support/registry_on_thread.h"
#include "support/zookeeper_client.h"
#include "support/zookeeper_server.h"

namespace skiff::registry {
namespace {

using std::chrono::milliseconds;
using namespace std::chrono_literals;
using testing::ElementsAre;

const std::string kInterface = "com.example.Aged";
const std::string kProviders = "/dubbo/com.example.Aged/providers";

std::int64_t now_ms() {
  return std::chrono::duration_cast<milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

// A provider whose URL says that it was started so long from now.
dubbo::Url started(milliseconds from_now, int number = 1) {
  dubbo::Url url = *dubbo::Url::parse("dubbo://10.0.0.1:20882/com.example.Aged?interface=com." +
                                      std::string("example.Aged&number=") + std::to_string(number));
  url.parameters["timestamp"] = std::to_string(now_ms() + from_now.count());
  return url;
}

std::string path_of(const dubbo::Url& url) { return kProviders + "/" + url.to_node_name(); }

std::vector<std::int64_t> timestamps(const RegistryRecord& record) {
  std::vector<std::int64_t> result;
  const auto found = record.providers.find(kInterface);
  if (found == record.providers.end()) return result;
  for (const std::string& text : found->second) {
    result.push_back(std::stoll(std::string(dubbo::Url::parse(text)->parameter("timestamp", "0"))));
  }
  return result;
}

class ProviderAgesTest : public testing::Test {
 protected:
  ProviderAgesTest() { client_.create_all(kProviders); }

  void watch() { registry_.watch(kInterface); }
  void watch_nobody() {
    watch();
    ASSERT_TRUE(registry_.wait_providers(kInterface, 0));
  }
  std::int64_t create(const dubbo::Url& url) {
    const std::int64_t at = now_ms();
    client_.create(path_of(url));
    return at;
  }
  // True as soon as `count` are listed, all with timestamps that may be those of nodes that were
  // made since `from`.
  bool wait_dated(std::size_t count, std::int64_t from) {
    return registry_.wait_until([&](const RegistryRecord& record) {
      const auto listed = timestamps(record);
      const auto is_dated = [&](std::int64_t one) { return one >= from && one <= now_ms(); };
      return listed.size() == count && std::all_of(listed.begin(), listed.end(), is_dated);
    });
  }

  ZookeeperServer server_;
  ZookeeperClient client_{server_.address()};
  RegistryOnThread registry_{server_.url()};
};

TEST_F(ProviderAgesTest, AreThoseOfTheEventsForProvidersThatAreSeenToCome) {
  watch_nobody();
  const std::int64_t from = create(started(1h, 1));
  create(started(-1h, 2));
  ASSERT_TRUE(wait_dated(2, from));
  EXPECT_LE(registry_.record().reports[kInterface], 3) << "nothing had to be asked for";
}

TEST_F(ProviderAgesTest, AreThoseOfTheNodesForProvidersThatWereThereBefore) {
  const std::int64_t from = create(started(1h, 1));
  create(started(-1h, 2));
  watch();
  ASSERT_TRUE(registry_.wait_providers(kInterface, 2)) << "the list does not wait for it";
  EXPECT_TRUE(wait_dated(2, from));
}

TEST_F(ProviderAgesTest, ChangeNothingWhereAClockIsRight) {
  const dubbo::Url there = started(-1s, 1);
  const dubbo::Url comes = started(-2s, 2);
  create(there);
  watch();
  ASSERT_TRUE(registry_.wait_providers(kInterface, 1));
  create(comes);
  ASSERT_TRUE(registry_.wait_providers(kInterface, 2));
  EXPECT_THAT(registry_.record().providers[kInterface],
              ElementsAre(there.to_string(), comes.to_string()));
}

TEST_F(ProviderAgesTest, AreNotAskedForWhereAProviderIsWarmOrSaysNothing) {
  dubbo::Url old = started(-10min - kProviderClockErrorMax - 1min, 1);
  dubbo::Url silent = started(0ms, 2);
  silent.parameters.erase("timestamp");
  dubbo::Url warm = started(-1h - kProviderClockErrorMax, 3);
  warm.parameters["warmup"] = "1000";
  watch_nobody();
  for (const dubbo::Url& url : {old, silent, warm}) create(url);
  ASSERT_TRUE(registry_.wait_providers(kInterface, 3));
  EXPECT_THAT(registry_.record().providers[kInterface],
              ElementsAre(old.to_string(), silent.to_string(), warm.to_string()));
}

TEST_F(ProviderAgesTest, StayWhereAProviderComesBackSinceItsSessionHadExpired) {
  const dubbo::Url url = started(1h);
  watch_nobody();
  const std::int64_t from = create(url);
  ASSERT_TRUE(wait_dated(1, from));
  const auto first = timestamps(registry_.record());
  client_.remove(path_of(url));
  ASSERT_TRUE(registry_.wait_providers(kInterface, 0));
  create(url);
  ASSERT_TRUE(registry_.wait_providers(kInterface, 1));
  EXPECT_EQ(timestamps(registry_.record()), first);
}

TEST_F(ProviderAgesTest, StayWhereAWeightComesInSteps) {
  dubbo::Url url = started(1h);
  watch_nobody();
  std::int64_t first = 0;
  for (const auto& step : {"10", "50", ""}) {
    const std::string before = path_of(url);
    url.parameters["weight"] = step;
    url.parameters["warmup"] = "1";
    url.parameters["skiff.warmup"] = "600000";
    if (*step == '\0') {
      for (const char* name : {"weight", "warmup", "skiff.warmup"}) url.parameters.erase(name);
    }
    const std::int64_t from = create(url);
    if (first == 0) {
      ASSERT_TRUE(wait_dated(1, from));
      first = timestamps(registry_.record()).front();
    } else {
      ASSERT_TRUE(registry_.wait_providers(kInterface, 2));
      EXPECT_THAT(timestamps(registry_.record()), ElementsAre(first, first));
      client_.remove(before);
      ASSERT_TRUE(registry_.wait_providers(kInterface, 1));
      EXPECT_THAT(timestamps(registry_.record()), ElementsAre(first));
    }
  }
}

TEST_F(ProviderAgesTest, ReachBackBeforeTheNodeWhereItsDataSaysSo) {
  const std::int64_t from = now_ms();
  const dubbo::Url right = started(-1min, 1);
  const dubbo::Url ahead = started(1h, 2);
  client_.write(path_of(right), "10.0.0.1 60000");
  client_.write(path_of(ahead), "10.0.0.1 30000");
  watch();
  const auto is_dated = [&](const RegistryRecord& record) {
    const auto listed = timestamps(record);
    const auto is_wrong = [](std::int64_t one) { return one > now_ms(); };
    return listed.size() == 2 && std::none_of(listed.begin(), listed.end(), is_wrong);
  };
  ASSERT_TRUE(registry_.wait_until(is_dated));
  const auto dates = timestamps(registry_.record());
  const std::int64_t rights = std::stoll(std::string(right.parameter("timestamp")));
  EXPECT_THAT(dates, testing::Contains(rights)) << "both are asked for in one turn";
  const std::int64_t aheads = dates[0] == rights ? dates[1] : dates[0];
  EXPECT_GE(aheads, from - 30'000);
  EXPECT_LE(aheads, now_ms() - 30'000);
}

TEST_F(ProviderAgesTest, AreThoseOfTheNodesWhereTheirDataSaysNothingElse) {
  const std::int64_t from = now_ms();
  int number = 0;
  for (const char* data : {"10.0.0.1", "10.0.0.1 ", "10.0.0.1 x", "10.0.0.1 1x", "10.0.0.1 -60000",
                           "10.0.0.1 99999999999999999999"}) {
    client_.write(path_of(started(1h, ++number)), data);
  }
  watch();
  EXPECT_TRUE(wait_dated(static_cast<std::size_t>(number), from));
}

TEST_F(ProviderAgesTest, AreAskedForWhereAProviderCameWhileThereWasNoConnection) {
  watch_nobody();
  server_.stop();
  ASSERT_TRUE(registry_.wait_until([](const RegistryRecord& record) { return !record.connected; }));
  server_.start();
  ZookeeperClient client(server_.address());
  const std::int64_t from = now_ms();
  client.create(path_of(started(1h)));
  EXPECT_TRUE(wait_dated(1, from));
}

TEST_F(ProviderAgesTest, AreThoseOfTheNodesThatReplaceOthersBeforeTheyWereAskedFor) {
  constexpr int kMany = 200;
  constexpr int kReplaced = 20;
  const auto step = [](int number, const char* weight) {
    dubbo::Url url = started(1h, number);
    url.parameters["timestamp"] = std::to_string(4'000'000'000'000);
    url.parameters["weight"] = weight;
    url.parameters["warmup"] = "1";
    url.parameters["skiff.warmup"] = "600000";
    return url;
  };
  const std::int64_t from = now_ms();
  for (int i = 0; i < kMany; ++i) create(step(i, "25"));
  watch();
  ASSERT_TRUE(registry_.wait_providers(kInterface, kMany));
  for (int i = 0; i < kReplaced; ++i) {  // most of them before their turn
    create(step(i, "50"));
    client_.remove(path_of(step(i, "25")));
  }
  EXPECT_TRUE(wait_dated(kMany, from));
}

TEST_F(ProviderAgesTest, OfManyComeLaterThanTheListAndInFewReports) {
  constexpr int kMany = 300;
  const std::int64_t from = now_ms();
  for (int i = 0; i < kMany; ++i) create(started(1h, i));
  watch();
  ASSERT_TRUE(wait_dated(kMany, from));
  const auto turns = kMany / static_cast<int>(kMaxAgesPerTurn);
  EXPECT_LE(registry_.record().reports[kInterface], 2 + turns) << "one by one";
}

}  // namespace
}  // namespace skiff::registry
