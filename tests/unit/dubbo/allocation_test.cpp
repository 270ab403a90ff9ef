// The data path's promise: nothing is allocated for a well-formed small request.

#include <gtest/gtest.h>

#include <array>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "dubbo/frame.h"
#include "dubbo/recorded_frames.h"
#include "dubbo/request.h"
#include "tests/unit/support/allocation_counter.h"

namespace skiff::dubbo {
namespace {

using testing::RecordedFrame;

std::size_t allocations_of_reading(RequestReader& reader, const RecordedFrame& frame) {
  static Attachments attachments;
  const AllocationCounter allocations;
  const auto header = parse_frame_header(frame.bytes, kDefaultBodyLimit);
  const auto head = reader.read_head(header->serialization, frame.body());
  const bool is_read =
      head && reader.read_attachments(header->serialization, frame.body(), *head, attachments);
  if (head && head->is_generic()) {
    static_cast<void>(reader.generic_method(header->serialization, frame.body(), *head));
    static_cast<void>(reader.argument(header->serialization, frame.body(), *head, 0));
  }
  const std::size_t count = allocations.count();
  EXPECT_TRUE(is_read) << frame.name;
  return count;
}

TEST(Allocation, IsNoneForRecordedHessian2Requests) {
  RequestReader reader;
  for (const RecordedFrame& frame : testing::recorded_frames()) {
    if (!frame.request || frame.serialization() != Serialization::kHessian2) continue;
    EXPECT_EQ(allocations_of_reading(reader, frame), 0U) << frame.name;
  }
}

// One attachment of theirs is UTF-16: the room for its UTF-8 is allocated once.
TEST(Allocation, IsNoneForRecordedFastjson2RequestsOnceTheReaderIsWarm) {
  RequestReader reader;
  for (int round = 0; round < 2; ++round) {
    for (const RecordedFrame& frame : testing::recorded_frames()) {
      if (!frame.request || frame.serialization() != Serialization::kFastjson2) continue;
      const std::size_t count = allocations_of_reading(reader, frame);
      if (round > 0) {
        EXPECT_EQ(count, 0U) << frame.name;
      }
    }
  }
}

TEST(Allocation, IsNoneForRemovingAndAddingAttachmentsOnceTheReaderIsWarm) {
  constexpr std::array<std::string_view, 3> kRemoved = {"timeout", "remote.application", "none"};
  constexpr std::array<std::pair<std::string_view, std::string_view>, 1> kAdded = {
      {{"token", "s3cret"}}};
  const AttachmentChanges changes{.removed = kRemoved, .added = kAdded};
  RequestReader reader;
  Attachments attachments;
  std::string inserted;
  std::vector<std::byte> out(4096);
  for (int round = 0; round < 2; ++round) {
    for (const RecordedFrame& frame : testing::recorded_frames()) {
      if (!frame.request || !frame.request->attachments) continue;
      const Bytes body = frame.body();
      const auto head = reader.read_head(frame.serialization(), body);
      ASSERT_TRUE(reader.read_attachments(frame.serialization(), body, *head, attachments));
      const AllocationCounter allocations;
      const auto splice = reader.splice(frame.serialization(), body, *head, changes, inserted);
      const bool is_done = splice.has_value() && splice->removed > 0;
      if (is_done) {
        write_spliced_body(body, *splice, inserted, std::span(out).first(splice->body_size));
      }
      const std::size_t count = allocations.count();
      EXPECT_TRUE(is_done) << frame.name;
      if (round > 0) {
        EXPECT_EQ(count, 0U) << frame.name;
      }
    }
  }
}

TEST(Allocation, IsCountedHere) {
  const AllocationCounter allocations;
  const std::vector<int> numbers(100);
  EXPECT_EQ(allocations.count(), 1U);
  EXPECT_EQ(numbers.size(), 100U);
}

}  // namespace
}  // namespace skiff::dubbo
