#include "forwarder/turn_memory.h"

#include <gtest/gtest.h>

#include <string>

namespace skiff::forwarder {
namespace {

TEST(TurnMemory, HasNoReadRoomOnceItIsNearlyFull) {
  BufferPool pool;
  TurnMemory memory(pool);
  ASSERT_TRUE(memory.has_read_room());
  memory.commit(memory.read_room().size() - limits::kReadRoomMinBytes);
  EXPECT_TRUE(memory.has_read_room());
  memory.commit(1);
  EXPECT_FALSE(memory.has_read_room());
  memory.release();
  EXPECT_TRUE(memory.has_read_room());
}

TEST(TurnMemory, HasNoReadRoomWhereTooMuchIsKeptBesideIt) {
  BufferPool pool;
  TurnMemory memory(pool);
  memory.keep(pool.take(2 * limits::kTurnKeptMaxBytes));
  EXPECT_FALSE(memory.has_read_room());
  memory.release();
  EXPECT_TRUE(memory.has_read_room());
  EXPECT_EQ(pool.bytes(), 0U);
}

TEST(TurnMemory, BuildsManySmallThingsInFewBlocksWhereItIsFull) {
  BufferPool pool;
  TurnMemory memory(pool);
  memory.commit(memory.read_room().size());
  const std::string small(17, 'x');
  for (int i = 0; i < 1000; ++i) {
    EXPECT_EQ(dubbo::as_text(memory.copy(dubbo::as_bytes(small))), small);
  }
  EXPECT_EQ(pool.bytes(), limits::kTurnSpillBytes);
}

TEST(TurnMemory, BuildsWhatIsLargerThanItself) {
  BufferPool pool;
  TurnMemory memory(pool);
  const std::string large(2 * limits::kTurnArenaBytes, 'y');
  EXPECT_EQ(dubbo::as_text(memory.copy(dubbo::as_bytes(large))), large);
}

}  // namespace
}  // namespace skiff::forwarder
