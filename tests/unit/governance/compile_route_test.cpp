#include "governance/compile_route.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace skiff::governance {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

dubbo::Url url(const std::string& text) { return dubbo::Url::parse(text).value(); }

CompiledRoute compile(std::vector<dubbo::Url> providers) {
  return compile_service_route({.interface = "a.Service", .providers = std::move(providers)});
}

TEST(CompileServiceRoute, SortsProvidersIntoGroupsAndVersions) {
  const CompiledRoute compiled =
      compile({url("dubbo://10.0.0.1:20882/a.Service?interface=a.Service&version=2.0&group=g"),
               url("dubbo://10.0.0.2:20882/a.Service?interface=a.Service"),
               url("dubbo://10.0.0.3:20882/a.Service?interface=a.Service&version=0.0.0")});
  ASSERT_EQ(compiled.route.clusters.size(), 2U);
  EXPECT_EQ(compiled.route.clusters[0].version, "");
  EXPECT_EQ(compiled.route.clusters[0].providers.size(), 2U);
  EXPECT_EQ(compiled.route.clusters[1].version, "2.0");
  EXPECT_EQ(compiled.route.clusters[1].group, "g");
  EXPECT_THAT(compiled.problems, IsEmpty());
}

TEST(CompileServiceRoute, LeavesOutWhatCannotBeCalledAndSaysWhy) {
  const CompiledRoute compiled =
      compile({url("tri://10.0.0.1:50051/a.Service"), url("dubbo://10.0.0.1/a.Service"),
               url("dubbo://10.0.0.1:1/a.Service?enabled=false"),
               url("dubbo://10.0.0.2:1/a.Service?disabled=true"),
               url("dubbo://provider.local:1/a.Service")});
  EXPECT_THAT(compiled.route.clusters, IsEmpty());
  EXPECT_THAT(compiled.problems,
              UnorderedElementsAre(HasSubstr("protocol is tri"), HasSubstr("no port"),
                                   HasSubstr("enabled=false"), HasSubstr("disabled=true"),
                                   HasSubstr("not a numeric address")));
}

TEST(CompileServiceRoute, ReadsWhatTheDataPlaneNeeds) {
  const CompiledRoute compiled =
      compile({url("dubbo://[::1]:20882/a.Service?hi.retries=0&hi.timeout=50"
                   "&retries=2&timeout=700"
                   "&timestamp=1700000000000&token=secret&warmup=1000&weight=300")});
  ASSERT_EQ(compiled.route.clusters.size(), 1U);
  const ProviderEndpoint& provider = compiled.route.clusters[0].providers.at(0);
  EXPECT_EQ(provider.host, "::1");
  EXPECT_EQ(provider.port, 20882);
  EXPECT_EQ(provider.weight, 300U);
  EXPECT_EQ(provider.warmup, milliseconds(1000));
  EXPECT_EQ(provider.started_at_ms, 1700000000000);
  EXPECT_EQ(provider.timeout, milliseconds(700));
  ASSERT_NE(provider.settings_of("hi"), nullptr);
  EXPECT_EQ(provider.settings_of("hi")->timeout, milliseconds(50));
  EXPECT_EQ(provider.settings_of("hi")->retries, 0U);
  EXPECT_EQ(provider.settings_of("h"), nullptr);
  EXPECT_EQ(provider.retries, 2U);
  EXPECT_EQ(provider.token, "secret");
}

TEST(CompileServiceRoute, KeepsTheYoungestOfSeveralNodesWithOneAddress) {
  const CompiledRoute compiled =
      compile({url("dubbo://10.0.0.1:1/a.Service?timestamp=2&weight=7"),
               url("dubbo://10.0.0.1:1/a.Service?timestamp=1&weight=9")});
  ASSERT_EQ(compiled.route.clusters.at(0).providers.size(), 1U);
  EXPECT_EQ(compiled.route.clusters[0].providers[0].weight, 7U);
}

TEST(CompileServiceRoute, FallsBackToDefaultsForNumbersThatAreNone) {
  const CompiledRoute compiled = compile(
      {url("dubbo://10.0.0.1:1/a.Service?retries=-1&timeout=-5&warmup=x&weight=99999999999")});
  const ProviderEndpoint& provider = compiled.route.clusters.at(0).providers.at(0);
  EXPECT_EQ(provider.weight, 100U);
  EXPECT_EQ(provider.warmup, milliseconds(600'000));
  EXPECT_EQ(provider.timeout, milliseconds(0));
  EXPECT_EQ(provider.retries, 0U);
}

}  // namespace
}  // namespace skiff::governance
