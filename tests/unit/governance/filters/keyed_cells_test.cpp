#include "governance/filters/keyed_cells.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <set>
#include <thread>
#include <vector>

namespace skiff::governance {
namespace {

const auto kNoneIsIdle = [](std::int64_t /*value*/) { return false; };
const auto kZeroIsIdle = [](std::int64_t value) { return value == 0; };

TEST(KeyedCells, AKeyKeepsItsCell) {
  KeyedCells cells(KeyedCells::kCells);
  KeyedCells::Cell& cell = cells.find(7, kNoneIsIdle);
  EXPECT_EQ(&cells.find(7, kNoneIsIdle), &cell);
  EXPECT_NE(&cells.find(8, kNoneIsIdle), &cell);
  EXPECT_EQ(&cells.at(cells.index_of(cell)), &cell);
}

TEST(KeyedCells, KeysThatMeetHaveCellsOfTheirOwnAsLongAsThereAreAny) {
  KeyedCells cells(KeyedCells::kCells);
  std::set<KeyedCells::Cell*> own;
  for (std::size_t i = 0; i < KeyedCells::kProbes; ++i) {
    KeyedCells::Cell& cell = cells.find(5 + i * KeyedCells::kCells, kZeroIsIdle);
    cell.value = 1;
    own.insert(&cell);
  }
  EXPECT_EQ(own.size(), KeyedCells::kProbes);
  // One more shares a cell; one that is idle goes to the next who needs it.
  EXPECT_TRUE(own.contains(&cells.find(5 + 100 * KeyedCells::kCells, kZeroIsIdle)));
  KeyedCells::Cell& first = **own.begin();
  first.value = 0;
  EXPECT_EQ(&cells.find(5 + 101 * KeyedCells::kCells, kZeroIsIdle), &first);
}

TEST(KeyedCells, ThreadsCountTogether) {
  KeyedCells cells(KeyedCells::kCells);
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&cells] {
      for (int i = 0; i < 10'000; ++i) cells.find(9, kNoneIsIdle).value.fetch_add(1);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(cells.find(9, kNoneIsIdle).value, 40'000);
}

}  // namespace
}  // namespace skiff::governance
