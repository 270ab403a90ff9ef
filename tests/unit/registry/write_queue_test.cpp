#include "registry/zookeeper/write_queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "registry/limits.h"
#include "support/manual_executor.h"

namespace skiff::registry {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

using Rank = WriteQueue::Rank;

class WriteQueueTest : public testing::Test {
 protected:
  void add(const std::string& name, Rank rank) {
    queue_.add(rank, [this, name] {
      if (needless_.contains(name)) return false;
      written_.push_back(name);
      return true;
    });
  }

  void add(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      add("node " + std::to_string(added_++), Rank::kProvider);
    }
  }

  // How long it takes until a further node is written.
  milliseconds time_of_one_more() {
    const std::size_t before = written_.size();
    add(1);
    milliseconds waited{0};
    for (; written_.size() == before && waited < milliseconds(10'000); ++waited) {
      executor_.advance(milliseconds(1));
    }
    return waited;
  }

  ManualExecutor executor_;
  std::vector<std::string> written_;
  std::set<std::string> needless_;
  std::size_t added_ = 0;
  WriteQueue queue_{executor_};
};

TEST_F(WriteQueueTest, LetsALoneWriteGoAtOnce) {
  for (int i = 0; i < 20; ++i) {
    add(1);
    EXPECT_THAT(written_, SizeIs(i + 1));
    executor_.advance(milliseconds(5));
  }
}

TEST_F(WriteQueueTest, WritesABurstAtOnceAndTheRestAtItsPace) {
  add(kMaxPublications);
  EXPECT_THAT(written_, SizeIs(kWriteBurst));
  EXPECT_EQ(queue_.size(), kMaxPublications - kWriteBurst);
  executor_.advance(milliseconds(1'000));
  EXPECT_LE(written_.size(), kWriteBurst + kWritesPerSecond);
  EXPECT_GE(written_.size(), kWriteBurst + kWritesPerSecond * 9 / 10);
  executor_.advance(milliseconds(1'000));
  EXPECT_THAT(written_, SizeIs(kMaxPublications));
  EXPECT_EQ(queue_.size(), 0U);
}

TEST_F(WriteQueueTest, NeverExceedsItsPaceHoweverManyTurnsThereAre) {
  constexpr milliseconds kStep{3};
  for (milliseconds time = kStep; time < milliseconds(3'000); time += kStep) {
    add(10);
    executor_.advance(kStep);
    ASSERT_LE(written_.size(),
              kWriteBurst + kWritesPerSecond * static_cast<std::size_t>(time.count()) / 1'000 + 1);
  }
}

TEST_F(WriteQueueTest, SavesNoMoreThanABurst) {
  executor_.advance(std::chrono::minutes(10));
  add(2 * kWriteBurst);
  EXPECT_THAT(written_, SizeIs(kWriteBurst));
}

TEST_F(WriteQueueTest, WritesInOrderButProvidersBeforeConsumers) {
  add(kWriteBurst);
  written_.clear();
  add("consumer 1", Rank::kConsumer);
  add("provider 1", Rank::kProvider);
  add("consumer 2", Rank::kConsumer);
  add("provider 2", Rank::kProvider);
  EXPECT_THAT(written_, IsEmpty());
  executor_.advance(milliseconds(100));
  EXPECT_THAT(written_, ElementsAre("provider 1", "provider 2", "consumer 1", "consumer 2"));
}

TEST_F(WriteQueueTest, CountsOnlyWhatHadToBeWritten) {
  for (std::size_t i = 0; i < 10 * kWriteBurst; ++i) needless_.insert("node " + std::to_string(i));
  add(11 * kWriteBurst);
  EXPECT_THAT(written_, SizeIs(kWriteBurst));
  EXPECT_EQ(queue_.size(), 0U);
}

TEST_F(WriteQueueTest, SpreadsTheNodesOfALostSessionTheMoreTheyAre) {
  for (const auto& [nodes, longest] : {std::pair<std::size_t, milliseconds>{1, kSpreadPerNode},
                                       {5, kSpreadPerNode * 5},
                                       {kMaxPublications, kLongestSpread}}) {
    constexpr int kRounds = 50;
    milliseconds shortest_seen = longest;
    milliseconds longest_seen{0};
    for (int round = 0; round < kRounds; ++round) {
      queue_.spread(nodes);
      const milliseconds waited = time_of_one_more();
      shortest_seen = std::min(shortest_seen, waited);
      longest_seen = std::max(longest_seen, waited);
    }
    constexpr milliseconds kOneTurn{31};
    EXPECT_LE(longest_seen, longest + kOneTurn) << nodes;
    EXPECT_GT(longest_seen, longest / 2) << nodes << ", " << kRounds << " times";
    EXPECT_LT(shortest_seen, longest / 2) << nodes << ", " << kRounds << " times";
  }
}

TEST_F(WriteQueueTest, SpreadsNothingWhereThereIsNothing) {
  queue_.spread(0);
  add(1);
  EXPECT_THAT(written_, SizeIs(1));
}

}  // namespace
}  // namespace skiff::registry
