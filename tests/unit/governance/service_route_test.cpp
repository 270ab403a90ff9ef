#include "governance/service_route.h"

#include <gtest/gtest.h>

#include "governance/compile_route.h"

namespace skiff::governance {
namespace {

dubbo::Url url(const std::string& text) { return dubbo::Url::parse(text).value(); }

Retries retries_of_url(const std::string& parameters, std::optional<std::string_view> method) {
  const CompiledRoute compiled =
      compile_service_route({.interface = "a.Service",
                             .providers = {url("dubbo://10.0.0.1:1/a.Service?" + parameters),
                                           url("dubbo://10.0.0.2:1/a.Service")}});
  const Cluster& cluster = compiled.route.clusters.at(0);
  return retries_of(cluster, cluster.providers.at(0), method);
}

TEST(RetriesOf, AreDubbosDefaultWhereAnotherProviderIsThereAndNothingIsSaid) {
  EXPECT_EQ(retries_of_url("a=b", "hi").count, 2U);
  EXPECT_TRUE(retries_of_url("a=b", "hi").elsewhere_only);
  EXPECT_EQ(retries_of_url("retries=&hi.retries=&hi.timeout=5", "hi").count, 2U);
  const ProviderEndpoint provider;
  EXPECT_EQ(retries_of(Cluster{"", "", {provider}}, provider, "hi").count, 0U);
}

TEST(RetriesOf, AreWhatTheProviderSays) {
  EXPECT_EQ(retries_of_url("retries=0", "hi").count, 0U);
  EXPECT_EQ(retries_of_url("retries=3", "hi").count, 3U);
  EXPECT_FALSE(retries_of_url("retries=3", "hi").elsewhere_only);
  EXPECT_EQ(retries_of_url("retries=-1", "hi").count, 0U);
  EXPECT_EQ(retries_of_url("retries=20", "hi").count, 10U);
  EXPECT_EQ(retries_of_url("default.retries=0", "hi").count, 0U);
  EXPECT_EQ(retries_of_url("default.retries=0&retries=1", "hi").count, 1U);
  EXPECT_EQ(retries_of_url("retries=3&hi.retries=1", "hi").count, 1U);
  EXPECT_EQ(retries_of_url("hi.retries=1", "default").count, 2U);
}

TEST(RetriesOf, OfAnUnknownMethodAreThoseOfTheStrictestOne) {
  EXPECT_EQ(retries_of_url("pay.retries=0&find.retries=5", std::nullopt).count, 0U);
  EXPECT_EQ(retries_of_url("find.retries=5", std::nullopt).count, 2U);
  EXPECT_EQ(retries_of_url("a=b", std::nullopt).count, 2U);
}

}  // namespace
}  // namespace skiff::governance
