#include "dubbo/down_question.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dubbo/response.h"

namespace skiff::dubbo {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Optional;

using Frame = std::vector<std::byte>;

Bytes body_of(const Frame& frame) { return Bytes(frame).subspan(FrameHeader::kSize); }

FrameHeader header_of(const Frame& frame) { return *parse_frame_header(frame, UINT32_MAX); }

Frame question(const std::vector<std::string>& services) {
  Frame frame;
  append_down_question(7, services, frame);
  return frame;
}

Frame answer(const std::vector<std::string>& down) {
  Frame frame;
  append_down_answer(header_of(question({})), down, frame);
  return frame;
}

TEST(DownQuestion, IsAHeartbeatWithDataThatSaysWhatIsAskedFor) {
  const std::vector<std::string> services = {"a.B", "red/a.B:1.0.0", "a.C"};
  const Frame frame = question(services);
  const FrameHeader header = header_of(frame);
  EXPECT_TRUE(header.is_event && header.is_request && header.is_two_way);
  EXPECT_EQ(header.request_id, 7U);
  EXPECT_EQ(header.body_size, body_of(frame).size());
  EXPECT_THAT(parse_down_question(body_of(frame)), Optional(services));
  EXPECT_THAT(parse_down_question(body_of(question({}))), Optional(IsEmpty()));
}

TEST(DownQuestion, IsAnsweredWithThoseThatAreDown) {
  const Frame frame = answer({"a.C"});
  const FrameHeader header = header_of(frame);
  EXPECT_TRUE(header.is_event && !header.is_request);
  EXPECT_EQ(header.request_id, 7U);
  EXPECT_EQ(header.status, Status::kOk);
  EXPECT_THAT(parse_down_answer(body_of(frame)), ElementsAre("a.C"));
}

TEST(DownQuestion, HasNobodyDownWhereThePeerDoesNotKnowIt) {
  EXPECT_THAT(parse_down_answer(body_of(question({"a.B"}))), IsEmpty()) << "the data that came";
  EXPECT_THAT(parse_down_answer(as_bytes("N")), IsEmpty());
  EXPECT_THAT(parse_down_answer({}), IsEmpty());
}

TEST(DownQuestion, IsNoOtherEvent) {
  Frame heartbeat;
  append_heartbeat_request(1, heartbeat);
  Frame readonly;
  append_readonly_event(1, readonly);
  for (const Frame& frame : {heartbeat, readonly, answer({"a.B"})}) {
    EXPECT_EQ(parse_down_question(body_of(frame)), std::nullopt);
  }
  const std::string cut = "S\xff\xffskiff.down?";
  EXPECT_EQ(parse_down_question(as_bytes(cut)), std::nullopt);
  EXPECT_EQ(parse_down_question(as_bytes("\x0cskiff.down?x")), std::nullopt);
}

TEST(DownQuestion, LeavesOutWhatHasNoRoom) {
  const std::string service(1'000, 'a');
  const std::vector<std::string> many(100, service);
  const Frame frame = question(many);
  EXPECT_LE(body_of(frame).size(), kMaxDownQuestionBytes);
  const auto asked = parse_down_question(body_of(frame));
  ASSERT_TRUE(asked);
  EXPECT_EQ(asked->size(), kMaxDownQuestionBytes / (service.size() + 1));
  EXPECT_THAT(*asked, testing::Each(service));
}

}  // namespace
}  // namespace skiff::dubbo
