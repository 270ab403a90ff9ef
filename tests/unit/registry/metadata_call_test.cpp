#include "registry/application/metadata_call.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dubbo/request.h"
#include "registry/limits.h"
#include "support/metadata_answers.h"

namespace skiff::registry {
namespace {

using testing::HasSubstr;

Result<MetadataInfo> parse(const std::string& body, dubbo::Status status = dubbo::Status::kOk) {
  dubbo::FrameHeader header;
  header.status = status;
  return parse_metadata_answer(header, dubbo::as_bytes(body), "9f0a");
}

TEST(MetadataRequest, IsTheCallThatDubboMakes) {
  const auto frame = metadata_request(
      {.address = "10.0.0.1:20880", .application = "shop", .version = "1.0.0", .revision = "9f0a"},
      7);
  const auto header = dubbo::parse_frame_header(frame, 1'000);
  ASSERT_TRUE(header);
  EXPECT_TRUE(header->is_request && header->is_two_way);
  EXPECT_EQ(header->request_id, 7U);
  EXPECT_EQ(header->serialization, dubbo::Serialization::kHessian2);
  EXPECT_EQ(header->body_size, frame.size() - dubbo::FrameHeader::kSize);
  const std::string interface = "org.apache.dubbo.metadata.MetadataService";
  EXPECT_EQ(dubbo::as_text(dubbo::Bytes(frame).subspan(dubbo::FrameHeader::kSize)),
            hessian_text("2.0.2") + hessian_text(interface) + hessian_text("1.0.0") +
                hessian_text("getMetadataInfo") + hessian_text("Ljava/lang/String;") +
                hessian_text("9f0a") + "H" + hessian_text("path") + hessian_text(interface) +
                hessian_text("interface") + hessian_text(interface) + hessian_text("version") +
                hessian_text("1.0.0") + hessian_text("group") + hessian_text("shop") + "Z");
}

TEST(MetadataAnswer, IsReadAsJavaWritesIt) {
  for (const char* type : {"\x91", "\x94"}) {
    const auto info = parse(type + hessian_metadata("9f0a", {"com.b", "com.a"}, 20880) + "HZ");
    ASSERT_TRUE(info) << info.error().message;
    ASSERT_EQ(info->services().size(), 2U);
    EXPECT_EQ(info->services()[0].interface, "com.a");
    EXPECT_EQ(info->services()[0].port, 20880);
    EXPECT_EQ(info->services()[0].group, "");
    EXPECT_EQ(info->services()[0].parameters.at("methods"), "sayHello");
  }
}

TEST(MetadataAnswer, FollowsParametersThatAreReferences) {
  // 0: MetadataInfo, 1: services, 2 and 4: services, 3: the parameters that both have.
  std::string body = hessian_metadata("9f0a", {"com.a", "com.b"}, 20880);
  const std::string parameters = "H" + hessian_text("methods") + hessian_text("sayHello") + "Z";
  body.replace(body.rfind(parameters), parameters.size(), "\x51\x93");
  const auto info = parse("\x91" + body);
  ASSERT_TRUE(info) << info.error().message;
  EXPECT_EQ(info->services_of("com.b")[0].parameters.at("methods"), "sayHello");
}

TEST(MetadataAnswer, SaysWhyThereIsNone) {
  EXPECT_THAT(parse("\x92").error().message, HasSubstr("does not know this revision"));
  EXPECT_THAT(parse("\x95HZ").error().message, HasSubstr("does not know this revision"));
  EXPECT_THAT(
      parse(hessian_text("no such service"), dubbo::Status::kServiceNotFound).error().message,
      HasSubstr("no such service"));
  const std::string exception =
      "\x90"
      "C" +
      hessian_text("a.RpcException") + "\x91" + hessian_text("detailMessage") + "`" +
      hessian_text("too bad");
  EXPECT_THAT(parse(exception).error().message, HasSubstr("a.RpcException: too bad"));
}

TEST(MetadataAnswer, RefusesWhatIsNoMetadata) {
  for (const std::string& body :
       {std::string(), std::string("\x91"), std::string("\x91N"), std::string("\x97N"),
        "\x91" + hessian_text("text"), hessian_text("text"), std::string("\x91HZ"),
        "\x91" + hessian_metadata("9f0a", {"a"}, 1).substr(0, 90)}) {
    EXPECT_FALSE(parse(body)) << body;
  }
}

TEST(MetadataAnswer, RefusesWhatIsOfAnotherRevisionOrSerialization) {
  EXPECT_EQ(parse("\x91" + hessian_metadata("other", {"a"}, 1)).error().code,
            ErrorCode::kInvalidArgument);
  dubbo::FrameHeader header;
  header.serialization = dubbo::Serialization::kFastjson2;
  EXPECT_FALSE(parse_metadata_answer(header, dubbo::as_bytes("\x91"), "1"));
}

// A small answer that would take much memory: one map, named by many services.
TEST(MetadataAnswer, IsLimitedInWhatReferencesMakeOfIt) {
  std::string body = hessian_metadata("9f0a", {"com.a"}, 20880);
  const std::string value = hessian_text("sayHello");
  const auto at = body.rfind(value);
  body.replace(at, value.size(), hessian_text(std::string(60'000, 'x')));
  body.pop_back();
  for (int i = 0; i < 1'000; ++i) {
    body += hessian_text(std::to_string(i)) + "a" + hessian_text("a") + "NN" +
            hessian_text("dubbo") + "\x91" + hessian_text("a") + "\x51\x93";
  }
  EXPECT_EQ(parse("\x91" + body + "Z").error().code, ErrorCode::kTooLarge);
}

}  // namespace
}  // namespace skiff::registry
