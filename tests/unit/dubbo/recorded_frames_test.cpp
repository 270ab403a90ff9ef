// Every frame of tests/frames against its frames.json.

#include "dubbo/recorded_frames.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include "dubbo/frame.h"
#include "dubbo/request.h"
#include "dubbo/response.h"

namespace skiff::dubbo {
namespace {

using testing::RecordedFrame;
using testing::RecordedRequest;

class RecordedFrames : public ::testing::TestWithParam<RecordedFrame> {};
class RecordedRequests : public ::testing::TestWithParam<RecordedFrame> {};

std::map<std::string, std::string> as_map(const Attachments& attachments) {
  std::map<std::string, std::string> map;
  for (std::size_t i = 0; i < attachments.size(); ++i) {
    map.insert_or_assign(std::string(attachments[i].first), std::string(attachments[i].second));
  }
  return map;
}

void expect_head(const RequestHead& head, const RecordedRequest& expected) {
  EXPECT_EQ(head.protocol_version, expected.protocol_version);
  EXPECT_EQ(head.path, expected.path);
  EXPECT_EQ(head.version, expected.version);
  EXPECT_EQ(head.method, expected.method);
  EXPECT_EQ(head.parameter_types, expected.parameter_types);
  EXPECT_EQ(head.argument_count, expected.arguments);
}

TEST_P(RecordedFrames, HaveTheHeaderThatTheListSays) {
  const RecordedFrame& frame = GetParam();
  const auto header = parse_frame_header(frame.bytes, kDefaultBodyLimit);
  ASSERT_TRUE(header.has_value());
  EXPECT_EQ(header->request_id, frame.id);
  EXPECT_EQ(header->body_size, frame.body_size);
  EXPECT_EQ(header->body_size, frame.bytes.size() - FrameHeader::kSize);
  EXPECT_EQ(header->serialization, frame.serialization());
  EXPECT_EQ(static_cast<unsigned>(header->status), frame.status);
  EXPECT_EQ(header->is_request, (frame.flags & 0x80) != 0);
  EXPECT_EQ(header->is_two_way, (frame.flags & 0x40) != 0);
  EXPECT_EQ(header->is_event, (frame.flags & 0x20) != 0);
}

// A reader that has just read the same, or something else, must find what a new one finds.
TEST_P(RecordedRequests, AreReadAlikeWhateverWasReadBefore) {
  static RequestReader used;
  const RecordedFrame& frame = GetParam();
  for (int repetition = 0; repetition < 2; ++repetition) {
    RequestReader fresh;
    const auto expected = fresh.read_head(frame.serialization(), frame.body());
    const auto head = used.read_head(frame.serialization(), frame.body());
    ASSERT_EQ(head.has_value(), expected.has_value());
    if (!head) return;
    EXPECT_EQ(head->path, expected->path);
    EXPECT_EQ(head->method, expected->method);
    EXPECT_EQ(head->arguments_offset, expected->arguments_offset);
    Attachments expected_attachments;
    Attachments attachments;
    const bool readable =
        fresh.read_attachments(frame.serialization(), frame.body(), *expected, expected_attachments)
            .has_value();
    EXPECT_EQ(
        used.read_attachments(frame.serialization(), frame.body(), *head, attachments).has_value(),
        readable);
    EXPECT_EQ(as_map(attachments), as_map(expected_attachments));
  }
}

TEST_P(RecordedRequests, HaveWhatTheListSays) {
  const RecordedFrame& frame = GetParam();
  RequestReader reader;
  const auto head = reader.read_head(frame.serialization(), frame.body());
  ASSERT_TRUE(head.has_value()) << head.error().message;
  expect_head(*head, *frame.request);

  Attachments attachments;
  const auto read =
      reader.read_attachments(frame.serialization(), frame.body(), *head, attachments);
  if (!frame.request->attachments) {
    ASSERT_FALSE(read.has_value());
    EXPECT_EQ(read.error().code, ErrorCode::kUnsupported);
    return;
  }
  ASSERT_TRUE(read.has_value()) << read.error().message;
  EXPECT_EQ(as_map(attachments), *frame.request->attachments);
  EXPECT_EQ(attachments.dropped(), 0U);
}

// A body that is cut off must never be read as something else: what is read of it is what stands
// in the whole one, and the attachments are never complete.
TEST_P(RecordedRequests, AreNeverMisreadWhereTheyAreCutOff) {
  const RecordedFrame& frame = GetParam();
  RequestReader reader;
  for (std::size_t size = 0; size < frame.body().size(); ++size) {
    // A copy of its own, so that sanitizers see every read behind its end.
    const std::vector<std::byte> cut(frame.body().begin(),
                                     frame.body().begin() + static_cast<std::ptrdiff_t>(size));
    const auto head = reader.read_head(frame.serialization(), cut);
    if (!head) {
      EXPECT_EQ(head.error().code, ErrorCode::kMalformed);
      continue;
    }
    // What is cut off of a generic call's first argument must not give another method.
    const auto generic = reader.generic_method(frame.serialization(), cut, *head);
    const auto whole = reader.generic_method(frame.serialization(), frame.body(), *head);
    if (generic) {
      EXPECT_EQ(generic, whole);
    }

    // fastjson's lines show no cut at the very end: only the line end itself is missing then.
    const bool is_whole_line =
        frame.serialization() == Serialization::kFastjson && size == frame.body().size() - 1;
    Attachments attachments;
    const auto read = reader.read_attachments(frame.serialization(), cut, *head, attachments);
    EXPECT_EQ(read.has_value(), is_whole_line) << "cut at " << size;
    if (frame.request->attachments) {
      for (std::size_t i = 0; i < attachments.size(); ++i) {
        EXPECT_EQ(frame.request->attachments->at(std::string(attachments[i].first)),
                  attachments[i].second);
      }
    }
  }
}

std::string test_name(const ::testing::TestParamInfo<RecordedFrame>& param) {
  std::string name = param.param.name;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

std::vector<RecordedFrame> recorded_requests() {
  std::vector<RecordedFrame> requests;
  std::copy_if(testing::recorded_frames().begin(), testing::recorded_frames().end(),
               std::back_inserter(requests),
               [](const RecordedFrame& frame) { return frame.request.has_value(); });
  return requests;
}

INSTANTIATE_TEST_SUITE_P(All, RecordedFrames, ::testing::ValuesIn(testing::recorded_frames()),
                         test_name);
INSTANTIATE_TEST_SUITE_P(All, RecordedRequests, ::testing::ValuesIn(recorded_requests()),
                         test_name);

TEST(RecordedGenericCalls, NameTheirMethod) {
  RequestReader reader;
  const std::map<std::string, std::string> methods = {
      {"request-generic-invoke", "x"}, {"fastjson2-request-generic-invoke", "sayHello"}};
  for (const auto& [name, method] : methods) {
    const RecordedFrame& frame = testing::recorded_frame(name);
    const auto head = reader.read_head(frame.serialization(), frame.body());
    ASSERT_TRUE(head.has_value());
    EXPECT_TRUE(head->is_generic());
    EXPECT_EQ(reader.generic_method(frame.serialization(), frame.body(), *head), method);
  }
}

TEST(RecordedCalls, GiveTheirFirstArgumentInEverySerialization) {
  RequestReader reader;
  for (const auto* name : {"java-request-string", "compactedjava-request-string",
                           "fastjson-request-string", "fastjson2-request-string"}) {
    const RecordedFrame& frame = testing::recorded_frame(name);
    const auto head = reader.read_head(frame.serialization(), frame.body());
    ASSERT_TRUE(head.has_value());
    EXPECT_EQ(reader.generic_method(frame.serialization(), frame.body(), *head), "world") << name;
  }
}

TEST(RecordedEvents, AreKnown) {
  for (const RecordedFrame& frame : testing::recorded_frames()) {
    if ((frame.flags & 0x20) == 0) continue;
    const bool is_readonly = frame.name.find("readonly") != std::string::npos;
    EXPECT_EQ(event_kind(frame.serialization(), frame.body()),
              is_readonly ? EventKind::kReadonly : EventKind::kHeartbeat)
        << frame.name;
  }
}

}  // namespace
}  // namespace skiff::dubbo
