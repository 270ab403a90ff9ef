#include "dubbo/frame.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "dubbo/recorded_frames.h"

namespace skiff::dubbo {
namespace {

using testing::bytes_of;

const char* const kHeaderHex = "dabb c2 00 8000000000000001 00000102";

TEST(FrameHeader, IsReadFromItsSixteenBytes) {
  const auto header = parse_frame_header(bytes_of(kHeaderHex), 0x102);
  ASSERT_TRUE(header.has_value());
  EXPECT_EQ(header->request_id, 0x8000000000000001U);
  EXPECT_EQ(header->body_size, 0x102U);
  EXPECT_EQ(header->serialization, Serialization::kHessian2);
  EXPECT_EQ(header->status, Status::kNone);
  EXPECT_TRUE(header->is_request);
  EXPECT_TRUE(header->is_two_way);
  EXPECT_FALSE(header->is_event);
}

TEST(FrameHeader, IsIncompleteAtEveryShorterLength) {
  const auto bytes = bytes_of(kHeaderHex);
  for (std::size_t size = 0; size < FrameHeader::kSize; ++size) {
    const std::vector<std::byte> cut(bytes.begin(),
                                     bytes.begin() + static_cast<std::ptrdiff_t>(size));
    const auto header = parse_frame_header(cut, kDefaultBodyLimit);
    ASSERT_FALSE(header.has_value());
    EXPECT_EQ(header.error().code, ErrorCode::kIncomplete);
    EXPECT_TRUE(header.error().message.empty());
  }
}

TEST(FrameHeader, IsMalformedFromItsFirstWrongByteOn) {
  for (const char* hex : {"00", "dbbb", "dabc", "474554202f20485454502f312e310d0a", "da00"}) {
    const auto header = parse_frame_header(bytes_of(hex), kDefaultBodyLimit);
    ASSERT_FALSE(header.has_value()) << hex;
    EXPECT_EQ(header.error().code, ErrorCode::kMalformed) << hex;
    EXPECT_FALSE(starts_like_a_frame(bytes_of(hex))) << hex;
  }
  EXPECT_TRUE(starts_like_a_frame({}));
  EXPECT_TRUE(starts_like_a_frame(bytes_of("da")));
  EXPECT_TRUE(starts_like_a_frame(bytes_of("dabb00")));
}

TEST(FrameHeader, SaysWhatItBeginsWithWhereItIsNone) {
  const auto header = parse_frame_header(bytes_of("'GET /'"), kDefaultBodyLimit);
  EXPECT_EQ(header.error().message, "not a Dubbo frame: it begins with 47455420 instead of dabb");
}

TEST(FrameHeader, RefusesABodyOverTheLimitButCanStillBeHad) {
  const auto bytes = bytes_of("dabb c2 00 0000000000000007 ffffffff");
  const auto header = parse_frame_header(bytes, kDefaultBodyLimit);
  ASSERT_FALSE(header.has_value());
  EXPECT_EQ(header.error().code, ErrorCode::kTooLarge);
  EXPECT_EQ(header.error().message, "frame body of 4294967295 bytes: the limit is 8388608");
  const auto anyway = parse_frame_header(bytes, UINT32_MAX);
  ASSERT_TRUE(anyway.has_value());
  EXPECT_EQ(anyway->request_id, 7U);
}

TEST(FrameHeader, IsWrittenAsItWasRead) {
  for (const auto& frame : testing::recorded_frames()) {
    const auto header = parse_frame_header(frame.bytes, kDefaultBodyLimit);
    ASSERT_TRUE(header.has_value());
    std::array<std::byte, FrameHeader::kSize> written{};
    write_frame_header(*header, written.data());
    EXPECT_TRUE(std::equal(written.begin(), written.end(), frame.bytes.begin())) << frame.name;
  }
}

TEST(FrameHeader, HasItsIdAndSizeRewrittenInPlace) {
  auto bytes = bytes_of(kHeaderHex);
  write_request_id(bytes.data(), 0x1122334455667788U);
  write_body_size(bytes.data(), 0x99aabbcc);
  EXPECT_EQ(bytes, bytes_of("dabb c2 00 1122334455667788 99aabbcc"));
}

TEST(ForeignProtocols, AreGuessedFromTheirFirstBytes) {
  EXPECT_EQ(guess_foreign_protocol(as_bytes("PRI * HTTP/2.0\r\n\r\nSM")), "HTTP/2");
  EXPECT_EQ(guess_foreign_protocol(as_bytes("GET / HTTP/1.1\r\n")), "HTTP/1");
  EXPECT_EQ(guess_foreign_protocol(as_bytes("POST /publish")), "HTTP/1");
  EXPECT_EQ(guess_foreign_protocol(bytes_of("16 03 01 02 00 01")), "TLS");
  EXPECT_EQ(guess_foreign_protocol(as_bytes("status -l\r\n")), "telnet text");
  EXPECT_EQ(guess_foreign_protocol(bytes_of("00 01 02 03")), "unknown bytes");
  EXPECT_EQ(guess_foreign_protocol({}), "unknown bytes");
}

TEST(Status, HasTheNameThatDubboGivesIt) {
  EXPECT_EQ(name_of(Status::kServerThreadpoolExhausted), "SERVER_THREADPOOL_EXHAUSTED");
  EXPECT_EQ(name_of(static_cast<Status>(99)), "unknown");
}

}  // namespace
}  // namespace skiff::dubbo
