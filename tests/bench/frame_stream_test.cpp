#include "tests/bench/frame_stream.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <string>
#include <vector>

#include "forwarder/socket.h"

namespace skiff::bench {
namespace {

using dubbo::FrameHeader;

FrameHeader request(std::uint64_t id) {
  FrameHeader header;
  header.request_id = id;
  header.is_request = header.is_two_way = true;
  return header;
}

// Both ends of a connection; the writing one does not block.
struct SocketPair {
  SocketPair() {
    int ends[2] = {-1, -1};
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) != 0) std::abort();
    writing = forwarder::Fd(ends[0]);
    reading = forwarder::Fd(ends[1]);
  }
  std::vector<std::byte> read_all() const {
    std::vector<std::byte> all;
    std::vector<std::byte> room(1 << 20);
    for (ssize_t size = 0; (size = read(reading.get(), room.data(), room.size())) > 0;) {
      all.insert(all.end(), room.begin(), room.begin() + size);
    }
    return all;
  }
  forwarder::Fd writing;
  forwarder::Fd reading;
};

TEST(FrameScanner, FindsFramesAtEverySplitOfTheStream) {
  const SocketPair sockets;
  FrameWriter writer;
  for (const std::string_view body : {"N", "", "a longer body"})
    writer.add(request(writer.waiting()), dubbo::as_bytes(body));
  ASSERT_EQ(writer.flush(sockets.writing.get()), WriteState::kDone);
  const std::vector<std::byte> stream = sockets.read_all();
  for (std::size_t split = 0; split <= stream.size(); ++split) {
    FrameScanner scanner;
    std::vector<std::uint64_t> ids;
    const auto note = [&ids](const FrameHeader& header) { ids.push_back(header.request_id); };
    EXPECT_TRUE(scanner.feed(dubbo::Bytes(stream).first(split), note));
    EXPECT_TRUE(scanner.feed(dubbo::Bytes(stream).subspan(split), note));
    EXPECT_EQ(ids, (std::vector<std::uint64_t>{0, 1, 2})) << split;
  }
}

TEST(FrameScanner, RefusesAStreamThatIsNotDubbo) {
  FrameScanner scanner;
  EXPECT_FALSE(scanner.feed(dubbo::as_bytes("HTTP/1.1 200 OK and more"),
                            [](const FrameHeader&) { FAIL(); }));
}

TEST(FrameWriter, ContinuesWhereAFullSocketStoppedIt) {
  const SocketPair sockets;
  const std::string body(100'000, 'x');
  constexpr std::uint64_t kFrames = 2000;
  FrameWriter writer;
  for (std::uint64_t id = 0; id < kFrames; ++id) writer.add(request(id), dubbo::as_bytes(body));
  FrameScanner scanner;
  std::uint64_t expected = 0;
  for (WriteState state = WriteState::kBlocked; state != WriteState::kDone;) {
    state = writer.flush(sockets.writing.get());
    ASSERT_NE(state, WriteState::kFailed);
    ASSERT_TRUE(scanner.feed(sockets.read_all(), [&](const FrameHeader& header) {
      EXPECT_EQ(header.request_id, expected++);
      EXPECT_EQ(header.body_size, body.size());
    }));
  }
  EXPECT_EQ(expected, kFrames);
  EXPECT_EQ(writer.waiting(), 0U);
}

}  // namespace
}  // namespace skiff::bench
