#include "forwarder/output_queue.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <random>
#include <string>
#include <vector>

#include "forwarder/socket.h"

namespace skiff::forwarder {
namespace {

std::string frame_of(std::uint64_t id, std::size_t body_size) {
  std::string bytes(dubbo::FrameHeader::kSize + body_size, static_cast<char>('a' + id % 26));
  dubbo::write_frame_header({.request_id = id,
                             .body_size = static_cast<std::uint32_t>(body_size),
                             .serialization = dubbo::Serialization::kHessian2,
                             .status = dubbo::Status::kNone,
                             .is_request = true,
                             .is_two_way = true,
                             .is_event = false},
                            reinterpret_cast<std::byte*>(bytes.data()));
  return bytes;
}

class OutputQueueTest : public ::testing::Test {
 protected:
  OutputQueueTest() {
    std::array<int, 2> pair{};
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair.data()), 0);
    ours_ = Fd(pair[0]);
    peer_ = Fd(pair[1]);
  }

  void append(const std::string& frame) { queue_.append(turn_.copy(dubbo::as_bytes(frame))); }
  void end_turn() {
    queue_.keep_rest();
    turn_.release();
  }
  std::string read(std::size_t most) {
    std::string got(most, '\0');
    const ssize_t size = recv(peer_.get(), got.data(), got.size(), 0);
    got.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    return got;
  }
  std::vector<std::uint64_t> unsent_ids() {
    std::vector<std::uint64_t> ids;
    queue_.for_each_unsent_frame(
        [&](const Frame& frame) { ids.push_back(frame.header.request_id); });
    return ids;
  }

  BufferPool pool_;
  TurnMemory turn_{pool_};
  OutputQueue queue_{pool_, turn_};
  Fd ours_;
  Fd peer_;
};

TEST_F(OutputQueueTest, WritesFramesFromWhereTheyLie) {
  append(frame_of(1, 10));
  append(frame_of(2, 0));
  EXPECT_EQ(queue_.write_to(ours_.get()), OutputQueue::Progress::kAllWritten);
  EXPECT_EQ(read(1000), frame_of(1, 10) + frame_of(2, 0));
  EXPECT_TRUE(queue_.empty());
  EXPECT_EQ(pool_.bytes(), 0U) << "nothing was copied";
}

TEST_F(OutputQueueTest, KeepsInOrderWhatLiesApartAndWhatEarlierTurnsLeft) {
  append(frame_of(1, 5));
  end_turn();
  append(frame_of(2, 5));
  turn_.build(7);  // something else in between
  append(frame_of(3, 5));
  EXPECT_EQ(unsent_ids(), (std::vector<std::uint64_t>{1, 2, 3}));
  EXPECT_EQ(queue_.write_to(ours_.get()), OutputQueue::Progress::kAllWritten);
  EXPECT_EQ(read(1000), frame_of(1, 5) + frame_of(2, 5) + frame_of(3, 5));
}

TEST_F(OutputQueueTest, WritesMorePiecesThanOneCallTakes) {
  std::string expected;
  for (std::uint64_t id = 0; id < 1000; ++id) {
    append(frame_of(id, 3));
    turn_.build(1);
    expected += frame_of(id, 3);
  }
  EXPECT_EQ(queue_.write_to(ours_.get()), OutputQueue::Progress::kAllWritten);
  EXPECT_EQ(read(100'000), expected);
}

TEST_F(OutputQueueTest, FailsWhereThePeerHasGone) {
  peer_.reset();
  append(frame_of(1, 5));
  EXPECT_EQ(queue_.write_to(ours_.get()), OutputQueue::Progress::kFailed);
}

// Against a peer that reads now and then, in pieces of any size.
TEST_F(OutputQueueTest, TellsAtEveryMomentWhichFramesAreWhollyUnsent) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  std::string expected;
  std::string arrived;
  std::vector<std::size_t> ends;  // of the frames in `expected`
  for (int turn = 0; turn < 2000; ++turn) {
    for (unsigned i = random() % 4; i > 0 && queue_.size() < 1'000'000; --i) {
      if (random() % 2 == 0) turn_.build(1);
      const std::string frame = frame_of(ends.size(), random() % 20'000);
      append(frame);
      expected += frame;
      ends.push_back(expected.size());
    }
    ASSERT_NE(queue_.write_to(ours_.get()), OutputQueue::Progress::kFailed);
    if (random() % 2 == 0) end_turn();
    const std::size_t written = expected.size() - queue_.size();
    std::vector<std::uint64_t> unsent;
    for (std::size_t id = 0; id < ends.size(); ++id) {
      if ((id == 0 ? 0 : ends[id - 1]) >= written) unsent.push_back(id);
    }
    ASSERT_EQ(unsent_ids(), unsent) << "in turn " << turn;
    if (random() % 3 == 0) arrived += read(random() % 200'000);
    if (queue_.empty()) turn_.release();
  }
  end_turn();
  while (arrived.size() < expected.size()) {
    ASSERT_NE(queue_.write_to(ours_.get()), OutputQueue::Progress::kFailed);
    arrived += read(1'000'000);
  }
  EXPECT_EQ(arrived, expected);
}

}  // namespace
}  // namespace skiff::forwarder
