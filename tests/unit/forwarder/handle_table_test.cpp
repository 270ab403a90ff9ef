#include "forwarder/handle_table.h"

#include <gtest/gtest.h>

namespace skiff::forwarder {
namespace {

TEST(HandleTable, NeverFindsALaterObjectByAnEarlierHandle) {
  HandleTable<int> table;
  const Handle first = table.add(std::make_unique<int>(1));
  EXPECT_EQ(*table.remove(first), 1);
  const Handle second = table.add(std::make_unique<int>(2));
  EXPECT_EQ(second.index, first.index) << "places are reused";
  EXPECT_EQ(table.get(first), nullptr);
  EXPECT_EQ(table.remove(first), nullptr);
  EXPECT_EQ(*table.get(second), 2);
  EXPECT_EQ(table.get(Handle{}), nullptr);
}

TEST(HandleTable, LetsAVisitorRemoveWhatItIsGiven) {
  HandleTable<Handle> table;
  for (int i = 0; i < 5; ++i) {
    const Handle handle = table.add(std::make_unique<Handle>());
    *table.get(handle) = handle;
  }
  table.for_each([&](const Handle& handle) { table.remove(Handle(handle)); });
  EXPECT_EQ(table.size(), 0U);
}

}  // namespace
}  // namespace skiff::forwarder
