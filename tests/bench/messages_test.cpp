#include "tests/bench/messages.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <string>

#include "dubbo/hessian2_reader.h"
#include "dubbo/request.h"

namespace skiff::bench {
namespace {

using dubbo::Serialization;

TEST(RequestBody, IsReadBackAsItWasMeant) {
  CallTemplate call;
  call.version = "1.0.0";
  call.group = "blue";
  call.timeout = std::chrono::milliseconds(1500);
  const std::string body = request_body(call);
  dubbo::RequestReader reader;
  const auto head = reader.read_head(Serialization::kHessian2, dubbo::as_bytes(body));
  ASSERT_TRUE(head) << head.error().message;
  EXPECT_EQ(head->path, call.interface);
  EXPECT_EQ(head->version, "1.0.0");
  EXPECT_EQ(head->method, "echo");
  EXPECT_EQ(head->argument_count, 1U);
  dubbo::Attachments attachments;
  ASSERT_TRUE(
      reader.read_attachments(Serialization::kHessian2, dubbo::as_bytes(body), *head, attachments));
  EXPECT_EQ(attachments.find("interface"), call.interface);
  EXPECT_EQ(attachments.find("group"), "blue");
  EXPECT_EQ(attachments.find("timeout"), "1500");
}

TEST(RequestBody, HoldsAnArgumentOfAnySize) {
  for (const std::size_t size : {0U, 1U, 31U, 32U, 128U, 0x8000U, 0x8001U, 0x10000U, 1'000'000U}) {
    CallTemplate call;
    call.argument_bytes = size;
    const std::string body = request_body(call);
    EXPECT_GE(body.size(), size);
    dubbo::RequestReader reader;
    const auto head = reader.read_head(Serialization::kHessian2, dubbo::as_bytes(body));
    ASSERT_TRUE(head) << head.error().message;
    dubbo::Attachments attachments;
    ASSERT_TRUE(reader.read_attachments(Serialization::kHessian2, dubbo::as_bytes(body), *head,
                                        attachments))
        << size;
    EXPECT_EQ(attachments.find("path"), call.interface) << size;
  }
}

TEST(AnswerBody, IsAValueOfTheSizeAskedFor) {
  for (const std::size_t size : {0U, 128U, 4096U, 0x10000U}) {
    const std::string body = answer_body(size);
    dubbo::Hessian2Reader reader;
    reader.reset(dubbo::as_bytes(body), 0);
    EXPECT_TRUE(reader.take(0x91));
    dubbo::TextArena arena;
    std::string_view value;
    ASSERT_TRUE(reader.read_text(value, arena)) << reader.problem();
    EXPECT_EQ(value.size(), size);
    EXPECT_EQ(reader.remaining(), 0U);
  }
}

}  // namespace
}  // namespace skiff::bench
