#include "dubbo/null_response.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "dubbo/frame.h"
#include "dubbo/recorded_frames.h"

namespace skiff::dubbo {
namespace {

using std::string_view_literals::operator""sv;

std::string_view body_of_null(Serialization serialization, std::vector<std::byte>& frame) {
  append_null_response(7, serialization, frame);
  const auto header = parse_frame_header(frame, UINT32_MAX);
  EXPECT_TRUE(header);
  EXPECT_EQ(header->request_id, 7U);
  EXPECT_EQ(header->status, Status::kOk);
  EXPECT_EQ(header->serialization, serialization);
  EXPECT_FALSE(header->is_request);
  return as_text(Bytes(frame).subspan(FrameHeader::kSize));
}

TEST(NullResponse, IsTheTypeOfAResponseWithoutAValue) {
  struct Case {
    Serialization serialization;
    std::string_view body;
  };
  for (const Case& one : {Case{Serialization::kHessian2, "\x92"sv},
                          Case{Serialization::kFastjson2, "\0\0\0\2\xbd\2"sv},
                          Case{Serialization::kFastjson, "2\n"sv}}) {
    std::vector<std::byte> frame;
    EXPECT_EQ(body_of_null(one.serialization, frame), one.body) << name_of(one.serialization);
    EXPECT_TRUE(can_write_null(one.serialization));
  }
  EXPECT_FALSE(can_write_null(Serialization::kJava));
}

TEST(NullResponse, TellsExceptionsOfRecordedProvidersFromValues) {
  int exceptions = 0;
  for (const testing::RecordedFrame& frame : testing::recorded_frames()) {
    if (frame.request || frame.status != static_cast<std::uint8_t>(Status::kOk)) continue;
    if (frame.name.find("event") != std::string::npos) continue;
    const bool expected = frame.name.find("exception") != std::string::npos;
    EXPECT_EQ(says_exception(frame.serialization(), frame.body()), expected) << frame.name;
    exceptions += expected ? 1 : 0;
  }
  EXPECT_GE(exceptions, 2);
}

}  // namespace
}  // namespace skiff::dubbo
