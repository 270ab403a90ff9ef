#include "forwarder/byte_queue.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace skiff::forwarder {
namespace {

TEST(ByteQueue, GivesBackWhatWentInWhateverTheSizes) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  BufferPool pool;
  ByteQueue queue(pool);
  std::string expected;
  unsigned char next = 0;
  for (int i = 0; i < 5000; ++i) {
    if (random() % 2 == 0) {
      std::string piece(random() % 9000, '\0');
      for (char& c : piece) c = static_cast<char>(next++);
      queue.append(dubbo::as_bytes(piece));
      expected += piece;
    } else {
      const std::size_t taken = random() % (queue.size() + 1);
      ASSERT_EQ(dubbo::as_text(queue.bytes().first(taken)), expected.substr(0, taken));
      queue.consume(taken);
      expected.erase(0, taken);
    }
    ASSERT_EQ(queue.size(), expected.size());
  }
}

TEST(ByteQueue, HoldsNoMemoryWhenEmpty) {
  BufferPool pool;
  ByteQueue queue(pool);
  queue.append(dubbo::as_bytes(std::string(1'000'000, 'x')));
  EXPECT_GE(pool.bytes(), 1'000'000U);
  queue.consume(1'000'000);
  EXPECT_EQ(pool.bytes(), 0U) << "a block of that size is not kept for later either";
}

TEST(BufferPool, ReusesSmallBlocks) {
  BufferPool pool;
  std::byte* first = pool.take(100).data();
  EXPECT_EQ(pool.take(4096).data(), first);
  EXPECT_EQ(pool.bytes(), 4096U);
}

}  // namespace
}  // namespace skiff::forwarder
