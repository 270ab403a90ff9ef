#include "forwarder/frame_connection.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "forwarder/limits.h"
#include "support/raw_peer.h"

namespace skiff::forwarder {
namespace {

using testing::RawPeer;
using testing::request_frame;

// A connection that does with its frames what the test says.
class TestConnection final : public FrameConnection {
 public:
  TestConnection(EventLoop& loop, Fd fd) : FrameConnection(loop, std::move(fd), false, 1U << 20U) {
    EXPECT_TRUE(start());
  }

  std::function<void(const Frame&)> do_on_frame = [](const Frame& /*frame*/) {};

 private:
  void on_frame(const Frame& frame) override { do_on_frame(frame); }
  OversizedFrame on_oversized(const dubbo::FrameHeader& /*header*/) override {
    return OversizedFrame::kSkipIt;
  }
  void on_foreign_bytes(dubbo::Bytes /*bytes*/) override {}
  void on_closed(const std::string& /*reason*/) override {}
};

// One end in the loop, the other one with the test.
class Ends {
 public:
  explicit Ends(EventLoop& loop) : Ends(loop, make_pair()) {}

  TestConnection inner;
  RawPeer outer;

 private:
  Ends(EventLoop& loop, std::pair<Fd, Fd> pair)
      : inner(loop, std::move(pair.first)), outer(std::move(pair.second)) {}

  static std::pair<Fd, Fd> make_pair() {
    std::array<int, 2> pair{};
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()), 0);
    EXPECT_EQ(fcntl(pair[0], F_SETFL, O_NONBLOCK), 0);
    for (const int fd : pair) {
      const int size = 1 << 20U;  // so that a turn's bytes go in at once
      EXPECT_EQ(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size), 0);
    }
    return {Fd(pair[0]), Fd(pair[1])};
  }
};

class FrameConnectionTest : public ::testing::Test {
 protected:
  FrameConnectionTest() : loop_(*EventLoop::create()) {}
  void turn() {
    loop_->turn([] {});
  }

  std::unique_ptr<EventLoop> loop_;
};

// Frames are not copied but lie in the turn's memory until they are written: nothing that is done
// while they are handled may give that memory away.
TEST_F(FrameConnectionTest, PassesFramesOnUnchangedWhileAnotherConnectionEnds) {
  Ends first(*loop_);
  Ends second(*loop_);
  Ends sink(*loop_);
  Ends ending(*loop_);
  std::string expected;
  const auto send_through = [&](Ends* source, std::size_t size, char letter) {
    std::string sent;
    while (sent.size() < size) sent += request_frame({.argument = std::string(1000, letter)});
    source->outer.send(sent);
    expected += sent;
    source->inner.do_on_frame = [&](const Frame& frame) {
      ending.inner.finish();  // idle: it shuts down at once, and throws its input away
      sink.inner.append_output(frame.bytes);
    };
  };
  send_through(&first, limits::kTurnArenaBytes / 2, 'a');
  send_through(&second, limits::kTurnArenaBytes / 8, 'b');
  turn();
  std::string got;
  while (got.size() < expected.size()) {
    const auto frame = sink.outer.receive();
    ASSERT_TRUE(frame) << "after " << got.size() << " of " << expected.size() << " bytes";
    got += frame->bytes;
  }
  EXPECT_EQ(got, expected);
}

}  // namespace
}  // namespace skiff::forwarder
