#include "dubbo/request_memo.h"

#include <gtest/gtest.h>

#include <string>

namespace skiff::dubbo {
namespace {

// A memo that is offered texts as if they were heads.
class RequestMemoTest : public testing::Test {
 protected:
  void offer(const std::string& text) {
    RequestHead head;
    head.path = text;
    head.arguments_offset = text.size();
    memo_.offer_head(as_bytes(text), head);
  }
  std::string known(const std::string& body) {
    const RequestHead* head = memo_.head_of(as_bytes(body));
    return head == nullptr ? "" : std::string(head->path);
  }

  RequestMemo memo_;
};

TEST_F(RequestMemoTest, KnowsTheHeadThatItWasOfferedWhateverComesBehindIt) {
  EXPECT_EQ(known("head of a"), "");
  offer("head of a");
  EXPECT_EQ(known("head of a, arguments"), "head of a");
  EXPECT_EQ(known("head of b, arguments"), "");
  EXPECT_EQ(known("head"), "");
}

TEST_F(RequestMemoTest, GivesWayAtOnceWhereWhatItKnowsWasOfUse) {
  offer("a");
  EXPECT_EQ(known("a"), "a");
  offer("b");
  EXPECT_EQ(known("b"), "b");
}

TEST_F(RequestMemoTest, KeepsWhatWasNotUsedYetForFifteenOffers) {
  offer("a");
  for (int i = 0; i < 15; ++i) offer("b");
  EXPECT_EQ(known("b"), "");
  offer("a");  // the sixteenth
  offer("b");
  EXPECT_EQ(known("a"), "a");
  offer("b");
  EXPECT_EQ(known("b"), "b");
}

TEST_F(RequestMemoTest, TextsStayReadableAfterTheBytesTheyWereReadFromAreGone) {
  {
    const std::string passing = "a text that is long enough to lie on the heap";
    offer(passing);
  }
  EXPECT_EQ(known("a text that is long enough to lie on the heap"),
            "a text that is long enough to lie on the heap");
}

TEST_F(RequestMemoTest, DoesNotKeepAHeadWhoseTextLiesElsewhereAndKeepsWhatItKnew) {
  offer("a");
  EXPECT_EQ(known("a"), "a");
  const std::string body = "bytes";
  const std::string decoded = "text decoded into memory of its own";
  RequestHead head;
  head.path = decoded;
  head.arguments_offset = body.size();
  memo_.offer_head(as_bytes(body), head);
  EXPECT_EQ(known(body), "");
  EXPECT_EQ(known("a"), "a");
}

}  // namespace
}  // namespace skiff::dubbo
