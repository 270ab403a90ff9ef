#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "dubbo/recorded_frames.h"
#include "dubbo/request.h"
#include "dubbo/spliced_body.h"

namespace skiff::dubbo {
namespace {

using testing::bytes_of;
using testing::RecordedFrame;
using testing::spliced_body;

constexpr std::array<std::pair<std::string_view, std::string_view>, 3> kAdded = {
    {{"token", "s3cret"}, {"timeout", "250"}, {"uni", "\xe4\xb8\xad \"\xf0\x9f\x98\x80\""}}};

// The body with kAdded in it; empty where that cannot be done.
std::vector<std::byte> spliced(Serialization serialization, Bytes body) {
  RequestReader reader;
  const auto head = reader.read_head(serialization, body);
  Attachments attachments;
  if (!head || !reader.read_attachments(serialization, body, *head, attachments)) return {};
  std::string inserted;
  const auto splice = reader.splice(serialization, body, *head, {.added = kAdded}, inserted);
  return splice ? spliced_body(body, *splice, inserted) : std::vector<std::byte>{};
}

void expect_added(Serialization serialization, Bytes body, std::size_t size) {
  RequestReader reader;
  const auto head = reader.read_head(serialization, body);
  ASSERT_TRUE(head.has_value());
  Attachments attachments;
  const auto read = reader.read_attachments(serialization, body, *head, attachments);
  ASSERT_TRUE(read.has_value()) << read.error().message;
  EXPECT_EQ(attachments.size(), size);
  for (const auto& [key, value] : kAdded) EXPECT_EQ(attachments.find(key), value) << key;
}

TEST(Splice, AddsToEveryRecordedRequestWithAttachments) {
  for (const RecordedFrame& frame : testing::recorded_frames()) {
    if (!frame.request || !frame.request->attachments) continue;
    const auto body = spliced(frame.serialization(), frame.body());
    ASSERT_FALSE(body.empty()) << frame.name;
    expect_added(frame.serialization(), body, frame.request->attachments->size() + kAdded.size());
  }
}

TEST(Splice, ReplacesNullAndFillsEmptyMaps) {
  const std::string hessian2 = "05 '2.0.2' 03 'a.B' 4e 02 'hi' 00";
  const std::string fastjson2 =
      "00000006 4e '2.0.2' 00000004 4c 'a.B' 00000001 af 00000003 4b 'hi' 00000001 49 ";
  const std::string fastjson = "\"2.0.2\"\n\"a.B\"\nnull\n\"hi\"\n\"\"\n";
  for (const char* map : {"4e", "48 5a", "4d 01 'M' 5a"}) {
    expect_added(Serialization::kHessian2,
                 spliced(Serialization::kHessian2, bytes_of(hessian2 + map)), 3);
  }
  for (const char* map : {"00000001 af", "00000002 a6 a5", "00000005 92 4a 'M' 00 af"}) {
    const auto body = spliced(Serialization::kFastjson2, bytes_of(fastjson2 + map));
    if (body.empty()) continue;  // a typed null is nothing that is written
    expect_added(Serialization::kFastjson2, body, 3);
  }
  for (const char* map : {"null\n", "{}\n", "{ }", " null "}) {
    const auto body = spliced(Serialization::kFastjson, as_bytes(fastjson + map));
    expect_added(Serialization::kFastjson, body, 3);
  }
}

TEST(Splice, WritesWhatStockPeersRead) {
  const RecordedFrame& frame = testing::recorded_frame("request-no-arguments");
  const auto body = spliced(Serialization::kHessian2, frame.body());
  const auto tail = bytes_of(
      "05 'token' 06 's3cret' 07 'timeout' 03 '250' 03 'uni' 06 e4b8ad 2022 eda0bdedb880 22 5a");
  ASSERT_EQ(body.size(), frame.body().size() - 1 + tail.size());
  EXPECT_TRUE(std::equal(tail.rbegin(), tail.rend(), body.rbegin()));
}

TEST(Splice, IsRefusedWhereTheBodyDoesNotEndAsItShould) {
  const std::string head = "05 '2.0.2' 03 'a.B' 4e 02 'hi' 00";
  for (const char* rest : {
           "51 90",                      // a reference
           "48 01 'k' 01 'v' 5a 90",     // more behind the map
           "48 01 'k' 01 'v' 5a 48 5a",  // even if that ends as a map does
           "4e 4e",
           "57 5a",  // a list
           "78",
       }) {
    EXPECT_TRUE(spliced(Serialization::kHessian2, bytes_of(head + rest)).empty()) << rest;
  }
  EXPECT_TRUE(
      spliced(Serialization::kFastjson, as_bytes("\"\"\n\"a\"\nnull\n\"m\"\n\"\"\n{}\n{}\n"))
          .empty());
}

TEST(Splice, MustFollowTheReadingOfTheSameBody) {
  const RecordedFrame& first = testing::recorded_frame("request-no-arguments");
  const RecordedFrame& second = testing::recorded_frame("request-int");
  RequestReader reader;
  std::string inserted = "left over";
  const auto can_splice = [&](Bytes body, const RequestHead& head) {
    return reader.splice(Serialization::kHessian2, body, head, {.added = kAdded}, inserted)
        .has_value();
  };
  const auto head = reader.read_head(Serialization::kHessian2, first.body());
  EXPECT_FALSE(can_splice(first.body(), *head));
  EXPECT_TRUE(inserted.empty());
  Attachments attachments;
  ASSERT_TRUE(reader.read_attachments(Serialization::kHessian2, first.body(), *head, attachments));
  EXPECT_FALSE(can_splice(second.body(), *head));
  EXPECT_TRUE(can_splice(first.body(), *head));
  // A failed reading takes it back.
  const Bytes cut = first.body().first(first.body().size() - 1);
  ASSERT_FALSE(reader.read_attachments(Serialization::kHessian2, cut, *head, attachments));
  EXPECT_FALSE(can_splice(cut, *head));
}

TEST(SplicedBody, IsTheOldOneWithoutItsCutsAndWithWhatIsInserted) {
  const std::string_view body = "0123456789";
  AttachmentSplice splice;
  splice.insert_at = 6;
  splice.body_size = 8;
  for (const ByteRange cut : {ByteRange{0, 1}, ByteRange{4, 6}, ByteRange{7, 8}}) {
    ASSERT_TRUE(splice.cuts.add(cut));
  }
  std::vector<std::byte> out(splice.body_size);
  write_spliced_body(as_bytes(body), splice, "ab", out);
  EXPECT_EQ(as_text(out), "123ab689");
}

}  // namespace
}  // namespace skiff::dubbo
