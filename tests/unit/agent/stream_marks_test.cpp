#include "agent/stream_marks.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <utility>

namespace skiff::agent {
namespace {

using forwarder::Fd;

TEST(StreamMarks, AnotherProcessReadsWhatWasMarked) {
  const auto written = StreamMarks::create();
  ASSERT_TRUE(written) << written.error().message;
  written->all()[3].connection = 17;
  written->all()[3].is_within_frame = true;
  const auto read = StreamMarks::open(Fd(dup(written->fd())));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->all().size(), StreamMarks::kMax);
  EXPECT_EQ(read->all()[3].connection, 17U);
  EXPECT_TRUE(read->all()[3].is_within_frame);
  EXPECT_EQ(read->all()[4].connection, 0U);
}

TEST(StreamMarks, WhatIsNoneIsRefused) {
  EXPECT_FALSE(StreamMarks::open(Fd()));
  EXPECT_FALSE(StreamMarks::open(Fd(dup(STDERR_FILENO))));
  Fd file(memfd_create("other", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  ASSERT_EQ(ftruncate(file.get(), 100), 0);
  EXPECT_FALSE(StreamMarks::open(std::move(file)));
}

// Of the right size, but it could shrink under its reader.
TEST(StreamMarks, WhatIsNotSealedIsRefused) {
  const auto marks = StreamMarks::create();
  Fd file(memfd_create("other", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  ASSERT_EQ(ftruncate(file.get(), lseek(marks->fd(), 0, SEEK_END)), 0);
  EXPECT_FALSE(StreamMarks::open(std::move(file)));
}

TEST(StreamMarks, TheirSizeIsFixed) {
  const auto marks = StreamMarks::create();
  EXPECT_NE(ftruncate(marks->fd(), 0), 0);
}

TEST(StreamMarks, EachSocketHasACookieOfItsOwn) {
  auto pair = forwarder::stream_pair();
  ASSERT_TRUE(pair);
  const std::uint64_t cookie = socket_cookie(pair->first.get());
  EXPECT_NE(cookie, 0U);
  EXPECT_NE(cookie, socket_cookie(pair->second.get()));
  EXPECT_EQ(cookie, socket_cookie(pair->first.duplicate().get()));
  EXPECT_EQ(socket_cookie(-1), 0U);
}

}  // namespace
}  // namespace skiff::agent
