// The data path's promise: nothing is allocated for a well-formed small request.

#include <gtest/gtest.h>

#include <cstdlib>
#include <new>

#include "dubbo/frame.h"
#include "dubbo/recorded_frames.h"
#include "dubbo/request.h"

namespace {
// Of this thread, and only while a test counts.
thread_local bool is_counting = false;
thread_local std::size_t allocations = 0;

void* counted_malloc(std::size_t size) {
  if (is_counting) ++allocations;
  void* const memory = std::malloc(size == 0 ? 1 : size);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
}  // namespace

// Not inlined: GCC would see free() take what, for all it knows, `new` has made.
[[gnu::noinline]] void* operator new(std::size_t size) { return counted_malloc(size); }
[[gnu::noinline]] void* operator new[](std::size_t size) { return counted_malloc(size); }
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete[](void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t /*size*/) noexcept {
  std::free(memory);
}
[[gnu::noinline]] void operator delete[](void* memory, std::size_t /*size*/) noexcept {
  std::free(memory);
}

namespace skiff::dubbo {
namespace {

using testing::RecordedFrame;

std::size_t allocations_of_reading(RequestReader& reader, const RecordedFrame& frame) {
  static Attachments attachments;
  allocations = 0;
  is_counting = true;
  const auto header = parse_frame_header(frame.bytes, kDefaultBodyLimit);
  const auto head = reader.read_head(header->serialization, frame.body());
  const bool is_read =
      head && reader.read_attachments(header->serialization, frame.body(), *head, attachments);
  if (head && head->is_generic()) {
    static_cast<void>(reader.generic_method(header->serialization, frame.body(), *head));
  }
  is_counting = false;
  EXPECT_TRUE(is_read) << frame.name;
  return allocations;
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

TEST(Allocation, IsCountedHere) {
  allocations = 0;
  is_counting = true;
  const std::vector<int> numbers(100);
  is_counting = false;
  EXPECT_EQ(allocations, 1U);
  EXPECT_EQ(numbers.size(), 100U);
}

}  // namespace
}  // namespace skiff::dubbo
