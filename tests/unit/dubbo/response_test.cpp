#include "dubbo/response.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "dubbo/recorded_frames.h"
#include "dubbo/request.h"

namespace skiff::dubbo {
namespace {

using testing::bytes_of;
using testing::RecordedFrame;

std::vector<std::byte> error_frame(Serialization serialization, std::string_view message) {
  std::vector<std::byte> frame;
  append_error_response(0x0102030405060708U, serialization, Status::kServerError, message, frame);
  return frame;
}

std::vector<std::byte> error_body(Serialization serialization, std::string_view message) {
  const auto frame = error_frame(serialization, message);
  return {frame.begin() + FrameHeader::kSize, frame.end()};
}

// Written again from its parts, each recorded error is the same, byte for byte.
TEST(ErrorResponse, IsWhatStockProvidersSend) {
  for (const char* name :
       {"response-bad-request", "response-serialization-refused", "response-threadpool-exhausted",
        "response-bad-response", "response-service-error"}) {
    const RecordedFrame& recorded = testing::recorded_frame(name);
    Hessian2Reader reader;
    reader.reset(recorded.body(), 0);
    TextArena arena;
    std::string_view message;
    ASSERT_TRUE(reader.read_text(message, arena)) << name;
    ASSERT_EQ(reader.remaining(), 0U) << name;
    std::vector<std::byte> written;
    append_error_response(recorded.id, Serialization::kHessian2,
                          static_cast<Status>(recorded.status), message, written);
    EXPECT_EQ(written, recorded.bytes) << name;
  }
}

TEST(ErrorResponse, HasAHeaderThatMatchesItsRequest) {
  const auto frame = error_frame(Serialization::kFastjson2, "down");
  const auto header = parse_frame_header(frame, kDefaultBodyLimit);
  ASSERT_TRUE(header.has_value());
  EXPECT_EQ(header->request_id, 0x0102030405060708U);
  EXPECT_EQ(header->status, Status::kServerError);
  EXPECT_EQ(header->serialization, Serialization::kFastjson2);
  EXPECT_FALSE(header->is_request || header->is_two_way || header->is_event);
  EXPECT_EQ(header->body_size, frame.size() - FrameHeader::kSize);
}

TEST(ErrorResponse, IsAStringOfTheRequestsSerialization) {
  EXPECT_EQ(error_body(Serialization::kHessian2, "down"), bytes_of("04 'down'"));
  EXPECT_EQ(error_body(Serialization::kFastjson2, "down"), bytes_of("00000005 4d 'down'"));
  EXPECT_EQ(error_body(Serialization::kFastjson, "down"), bytes_of("22 'down' 22 0a"));
  EXPECT_EQ(error_body(Serialization::kJava, "down"),
            bytes_of("aced0005 77 0a 00000004 0004 'down'"));
  EXPECT_EQ(error_body(Serialization::kCompactedJava, "down"),
            bytes_of("aced0005 77 0a 00000004 0004 'down'"));
  EXPECT_EQ(error_body(Serialization::kNativeJava, "down"), bytes_of("aced0005 77 06 0004 'down'"));
}

TEST(ErrorResponse, IsEmptyWhereWeCannotWriteTheSerialization) {
  EXPECT_FALSE(can_write_error(Serialization::kKryo));
  EXPECT_TRUE(error_body(Serialization::kKryo, "down").empty());
  EXPECT_TRUE(can_write_error(Serialization::kJava));
}

TEST(ErrorResponse, WritesSupplementaryCharactersAsEachPeerReadsThem) {
  const char* const emoji = "\xf0\x9f\x98\x80";
  EXPECT_EQ(error_body(Serialization::kHessian2, emoji), bytes_of("02 eda0bdedb880"));
  EXPECT_EQ(error_body(Serialization::kFastjson2, emoji), bytes_of("00000006 7a 04 f09f9880"));
  EXPECT_EQ(error_body(Serialization::kJava, emoji),
            bytes_of("aced0005 77 0c 00000002 0006 eda0bdedb880"));
}

TEST(ErrorResponse, CutsLongMessagesBetweenCharacters) {
  const std::string message = std::string(4095, 'a') + "\xe4\xb8\xad";
  const auto body = error_body(Serialization::kHessian2, message);
  EXPECT_EQ(body.size(), 3U + 4095U);
  // Long blocks of Java have the long form.
  const auto java = error_body(Serialization::kJava, message);
  EXPECT_EQ(std::vector<std::byte>(java.begin(), java.begin() + 15),
            bytes_of("aced0005 7a 00001005 00000fff 0fff"));
}

TEST(ErrorResponse, IsAppendedToWhatIsThere) {
  std::vector<std::byte> out = bytes_of("aa");
  append_error_response(1, Serialization::kHessian2, Status::kBadRequest, "x", out);
  append_error_response(2, Serialization::kHessian2, Status::kBadRequest, "y", out);
  EXPECT_EQ(out, bytes_of("aa dabb 02 28 0000000000000001 00000002 01 'x'"
                          "dabb 02 28 0000000000000002 00000002 01 'y'"));
}

}  // namespace
}  // namespace skiff::dubbo
