#include "dubbo/serialization.h"

#include <gtest/gtest.h>

namespace skiff::dubbo {
namespace {

TEST(Serialization, HasANameForEachThatDubboHas) {
  EXPECT_EQ(name_of(Serialization::kHessian2), "hessian2");
  EXPECT_EQ(name_of(Serialization::kFastjson2), "fastjson2");
  EXPECT_EQ(name_of(Serialization::kNativeHessian), "native-hessian");
  EXPECT_EQ(name_of(static_cast<Serialization>(5)), "unknown");
}

TEST(Serialization, SaysWhatCanBeReadOfIt) {
  EXPECT_TRUE(has_readable_head(Serialization::kNativeJava));
  EXPECT_FALSE(has_readable_attachments(Serialization::kNativeJava));
  EXPECT_TRUE(has_readable_attachments(Serialization::kFastjson));
  EXPECT_FALSE(has_readable_head(Serialization::kProtobuf));
  EXPECT_FALSE(has_readable_head(static_cast<Serialization>(31)));
}

}  // namespace
}  // namespace skiff::dubbo
