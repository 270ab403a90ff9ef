#include "governance/static_routes/static_route_rule.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "governance/router_chain.h"
#include "governance/static_routes/static_providers.h"

namespace skiff::governance {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Outcome = Router::Outcome;

constexpr const char* kInterface = "a.Demo";

dubbo::Url url(const std::string& text) { return dubbo::Url::parse(text).value(); }

// Takes the destination that it is told to, and remembers what it could choose from.
class FixedDraw final : public Draw {
 public:
  std::size_t choose(std::span<const std::uint32_t> weights) override {
    offered.assign(weights.begin(), weights.end());
    return choice;
  }

  std::size_t choice = 0;
  std::vector<std::uint32_t> offered;
};

// The routers of a virtual host over providers of a registry and its own hosts.
class StaticRoute : public testing::Test {
 protected:
  void compile(const std::string& text, const std::vector<std::string>& listed) {
    auto parsed = parse_virtual_host("domains: '*'\n" + text, "demo");
    ASSERT_TRUE(parsed) << parsed.error().message;
    host_ = std::make_shared<const VirtualHost>(std::move(*parsed));
    std::vector<dubbo::Url> urls;
    urls.reserve(listed.size());
    for (const std::string& one : listed) urls.push_back(url(one));
    providers_ = with_static_providers(urls, host_.get(), kInterface);
    routers_.clear();
    static_route_rule(host_)->compile({.interface = kInterface,
                                       .group = "",
                                       .version = "",
                                       .providers = providers_,
                                       .consumer = consumer_},
                                      routers_);
  }

  // Of the router of the group that matches.
  Router::Result route(const std::string& method,
                       const std::vector<std::pair<std::string, std::string>>& attachments = {}) {
    dubbo::Attachments sent;
    for (const auto& [key, value] : attachments) sent.add(key, value);
    const RequestView request{.method = method, .attachments = &sent, .arguments = nullptr};
    left_ = ProviderSet::all(providers_.size());
    Router::Result last;
    RouterChain(routers_, method)
        .apply(request, draw_, left_,
               [&](const Router&, const Router::Result& result, const ProviderSet&) {
                 last = result;
               });
    return last;
  }

  std::vector<std::string> left() const {
    std::vector<std::string> addresses;
    left_.for_each([&](std::size_t i) { addresses.push_back(providers_[i].address()); });
    return addresses;
  }

  VirtualHostPtr host_;
  std::vector<dubbo::Url> providers_;
  Routers routers_;
  ProviderSet left_;
  FixedDraw draw_;
  dubbo::ConsumerIdentity consumer_;
};

const std::vector<std::string> kListed = {"dubbo://10.0.0.1:20880/a.Demo?release=v1",
                                          "dubbo://10.0.0.2:20880/a.Demo?release=v2"};

TEST_F(StaticRoute, ASubsetIsTheProvidersWithItsLabels) {
  compile(
      "routes: [{match: {method: find}, cluster: v2}]\n"
      "clusters: [{name: v2, subset: {release: v2}}]",
      kListed);
  EXPECT_EQ(route("find").outcome, Outcome::kNarrowed);
  EXPECT_THAT(left(), ElementsAre("10.0.0.2:20880"));
  EXPECT_EQ(route("save").outcome, Outcome::kNoMatch);
  ASSERT_EQ(routers_.size(), 1U);
  EXPECT_THAT(routers_[0]->name(), "static route demo, entry 1: method exact find => v2");
  EXPECT_FALSE(routers_[0]->reads_more_than_method());
  EXPECT_FALSE(routers_[0]->concerns("save"));
}

TEST_F(StaticRoute, AClusterWithoutAnythingIsTheRegistrysProviders) {
  compile(
      "routes: [{cluster: all}]\n"
      "clusters: [{name: all}, {name: own, hosts: [{address: '10.0.9.1:1'}]}]",
      kListed);
  EXPECT_EQ(route("any").outcome, Outcome::kNarrowed);
  EXPECT_THAT(left(), ElementsAre("10.0.0.1:20880", "10.0.0.2:20880"));
}

TEST_F(StaticRoute, TheFirstEntryThatMatchesCounts) {
  compile(
      "routes:\n"
      "- {match: {attachments: [{name: env, exact: gray}]}, cluster: v2}\n"
      "- {cluster: v1}\n"
      "clusters: [{name: v1, subset: {release: v1}}, {name: v2, subset: {release: v2}}]",
      kListed);
  route("any", {{"env", "gray"}});
  EXPECT_THAT(left(), ElementsAre("10.0.0.2:20880"));
  route("any", {{"env", "blue"}});
  EXPECT_THAT(left(), ElementsAre("10.0.0.1:20880"));
  EXPECT_TRUE(routers_[0]->reads_more_than_method());
  EXPECT_FALSE(routers_[1]->reads_more_than_method());
  EXPECT_EQ(routers_[0]->group(), kStaticRouteGroup);
  EXPECT_EQ(routers_[1]->group(), kStaticRouteGroup);
}

TEST_F(StaticRoute, WeightsDecideAmongDestinationsThatHaveProviders) {
  compile(
      "routes: [{weighted_clusters: [{name: v1, weight: 60}, {name: v2, weight: 30}, "
      "{name: v3, weight: 10}]}]\n"
      "clusters: [{name: v1, subset: {release: v1}}, {name: v2, subset: {release: v2}}, "
      "{name: v3, subset: {release: v3}}]",
      kListed);
  EXPECT_TRUE(routers_[0]->reads_more_than_method());
  draw_.choice = 1;
  EXPECT_EQ(route("any").detail, "cluster v2 (30 of 100)");
  EXPECT_THAT(left(), ElementsAre("10.0.0.2:20880"));
  EXPECT_THAT(draw_.offered, ElementsAre(60, 30, 0));
}

TEST_F(StaticRoute, RequestsOfADestinationWithoutProvidersAreSharedByTheOthers) {
  compile(
      "routes: [{weighted_clusters: [{name: v1, weight: 1}, {name: v3, weight: 99}]}]\n"
      "clusters: [{name: v1, subset: {release: v1}}, {name: v3, subset: {release: v3}}]",
      kListed);
  EXPECT_EQ(route("any").outcome, Outcome::kNarrowed);
  EXPECT_THAT(left(), ElementsAre("10.0.0.1:20880"));
  EXPECT_THAT(draw_.offered, IsEmpty());  // there is nothing to decide
}

TEST_F(StaticRoute, IsRefusedWhereNoDestinationHasProviders) {
  compile(
      "routes: [{weighted_clusters: [{name: v1, weight: 0}, {name: v3, weight: 100}]}]\n"
      "clusters: [{name: v1, subset: {release: v1}}, {name: v3, subset: {release: v3}}]",
      kListed);
  const Router::Result result = route("any");
  EXPECT_EQ(result.outcome, Outcome::kRefused);
  EXPECT_EQ(result.detail, "no provider is left of cluster v1 (0 of 100) cluster v3 (100 of 100)");
  EXPECT_THAT(left(), ElementsAre("10.0.0.1:20880", "10.0.0.2:20880"));
}

TEST_F(StaticRoute, ChoosesAmongThoseThatRulesBeforeItHaveLeft) {
  compile(
      "routes: [{weighted_clusters: [{name: v1, weight: 99}, {name: v2, weight: 1}]}]\n"
      "clusters: [{name: v1, subset: {release: v1}}, {name: v2, subset: {release: v2}}]",
      kListed);
  left_ = ProviderSet::none(2);
  left_.add(1);
  const dubbo::Attachments none;
  const RequestView request{.method = "any", .attachments = &none, .arguments = nullptr};
  EXPECT_EQ(routers_[0]->apply(request, draw_, left_).detail, "cluster v2 (1 of 100)");
  EXPECT_THAT(left(), ElementsAre("10.0.0.2:20880"));
}

TEST_F(StaticRoute, GoesToTheHostsOfACluster) {
  compile(
      "routes: [{match: {method: find}, cluster: own}]\n"
      "clusters: [{name: own, hosts: [{address: '10.0.9.1:1'}, {address: '10.0.9.2:1'}]}]",
      kListed);
  route("find");
  EXPECT_THAT(left(), ElementsAre("10.0.9.1:1", "10.0.9.2:1"));
}

TEST_F(StaticRoute, RequestsThatNoEntryMatchesGoToTheRegistrysProviders) {
  compile(
      "routes: [{match: {method: find}, cluster: own}]\n"
      "clusters: [{name: own, hosts: [{address: '10.0.9.1:1'}]}]",
      kListed);
  EXPECT_EQ(route("save").outcome, Outcome::kNarrowed);
  EXPECT_THAT(left(), ElementsAre("10.0.0.1:20880", "10.0.0.2:20880"));
  ASSERT_EQ(routers_.size(), 2U);
  EXPECT_EQ(routers_[0]->group(), routers_[1]->group());
}

TEST_F(StaticRoute, RequestsThatNoEntryMatchesAreRefusedWhereTheRegistryHasNobody) {
  compile(
      "routes: [{match: {method: find}, cluster: own}]\n"
      "clusters: [{name: own, hosts: [{address: '10.0.9.1:1'}]}]",
      {});
  const Router::Result result = route("save");
  EXPECT_EQ(result.outcome, Outcome::kRefused);
  EXPECT_THAT(std::string(result.detail), HasSubstr("no entry matches"));
}

TEST_F(StaticRoute, PolicyIsOfTheEntryAndItsCluster) {
  compile(
      "routes:\n"
      "- {name: fast, match: {method: find}, cluster: own, timeout: 20ms, "
      "retry_policy: {num_retries: 3}}\n"
      "- {cluster: all}\n"
      "clusters: [{name: own, lb_type: P2C, subset: {release: v1}}, {name: all}]",
      kListed);
  const RoutePolicy* policy = route("find").policy;
  ASSERT_NE(policy, nullptr);
  EXPECT_EQ(policy->source, "route demo, entry fast");
  EXPECT_EQ(policy->balance->kind, LoadBalance::kP2c);
  EXPECT_EQ(policy->timeout, 20ms);
  EXPECT_EQ(policy->retries, 3U);
  EXPECT_EQ(route("save").policy, nullptr);
}

struct MatchExample {
  const char* matcher;
  const char* value;  // nullptr: the attachment is not there
  bool matches;
};

TEST_F(StaticRoute, AttachmentsAreComparedAsTheMatcherSays) {
  for (const auto& [matcher, value, matches] : std::initializer_list<MatchExample>{
           {"exact: gray", "gray", true},
           {"exact: gray", "grayer", false},
           {"exact: gray", nullptr, false},
           {"exact: gray, invert: true", "blue", true},
           {"exact: gray, invert: true", nullptr, true},
           {"exact: gray, invert: true", "gray", false},
           {"prefix: gr", "gray", true},
           {"prefix: gr", "agr", false},
           {"suffix: ay", "gray", true},
           {"suffix: ay", "grays", false},
           {"regex: 'gr.y'", "grey", true},
           {"regex: 'gr.y'", "grey!", false},
           {"range: {start: 1, end: 10}", "1", true},
           {"range: {start: 1, end: 10}", "9", true},
           {"range: {start: 1, end: 10}", "10", false},
           {"range: {start: -5, end: 0}", "-1", true},
           {"range: {start: 1, end: 10}", "5x", false},
           {"range: {start: 1, end: 10}", "", false},
           {"present: true", "", true},
           {"present: true", nullptr, false},
           {"present: false", nullptr, true},
           {"present: false", "x", false},
           {"present: true, invert: true", nullptr, true},
       }) {
    compile("routes: [{match: {attachments: [{name: k, " + std::string(matcher) +
                "}]}, cluster: all}]\nclusters: [{name: all}]",
            kListed);
    std::vector<std::pair<std::string, std::string>> sent;
    if (value != nullptr) sent.emplace_back("k", value);
    EXPECT_EQ(route("any", sent).outcome == Outcome::kNarrowed, matches)
        << matcher << " " << (value == nullptr ? "absent" : value);
  }
}

TEST_F(StaticRoute, AllAttachmentsAndTheMethodMustMatch) {
  compile(
      "routes: [{match: {method: {suffix: ById}, attachments: [{name: a, exact: x}, "
      "{name: b, exact: y}]}, cluster: all}]\nclusters: [{name: all}]",
      kListed);
  EXPECT_EQ(route("findById", {{"a", "x"}, {"b", "y"}}).outcome, Outcome::kNarrowed);
  EXPECT_EQ(route("findById", {{"a", "x"}}).outcome, Outcome::kNoMatch);
  EXPECT_EQ(route("find", {{"a", "x"}, {"b", "y"}}).outcome, Outcome::kNoMatch);
}

VirtualHost parsed(const std::string& text) {
  return parse_virtual_host("domains: '*'\nroutes: [{cluster: one}]\n" + text, "demo").value();
}

TEST(StaticProviders, AreUrlsThatRoutesAreCompiledFrom) {
  const VirtualHost host = parsed(
      "group: g\nversion: 1.0\nclusters: [{name: one, hosts: [{address: '10.0.0.5:20880', "
      "weight: 7}]}, {name: two, hosts: [{address: '[::1]:1'}, "
      "{address: '10.0.0.5:20880', weight: 7}]}]");
  const auto providers = static_providers(host, "a.Demo");
  ASSERT_EQ(providers.size(), 2U);
  EXPECT_EQ(providers[0].to_string(),
            "dubbo://10.0.0.5:20880/a.Demo?group=g&interface=a.Demo&side=provider&"
            "skiff.in-clusters=one,two&version=1.0&weight=7");
  EXPECT_EQ(providers[1].address(), "[::1]:1");
  EXPECT_TRUE(is_host_of(providers[0], "one"));
  EXPECT_TRUE(is_host_of(providers[0], "two"));
  EXPECT_FALSE(is_host_of(providers[1], "one"));
  EXPECT_FALSE(is_listed_provider(providers[0]));
}

TEST(StaticProviders, KeepTheRegistrysUrlWhereItListsThemToo) {
  const VirtualHost host =
      parsed("clusters: [{name: one, hosts: [{address: '10.0.0.5:20880', weight: 7}]}]");
  const auto providers =
      with_static_providers({url("dubbo://10.0.0.5:20880/a.Demo?timeout=5&version=0.0.0"),
                             url("dubbo://10.0.0.5:20880/a.Demo?version=2.0")},
                            &host, "a.Demo");
  ASSERT_EQ(providers.size(), 2U);
  EXPECT_EQ(providers[0].parameter("timeout"), "5");
  EXPECT_EQ(providers[0].parameter("weight"), "7");
  EXPECT_TRUE(is_host_of(providers[0], "one"));
  EXPECT_TRUE(is_listed_provider(providers[0]));
  EXPECT_FALSE(is_host_of(providers[1], "one"));
}

TEST(StaticProviders, BelieveNoRegistryThatAProviderIsOneOfThem) {
  const auto providers = with_static_providers(
      {url("dubbo://10.0.0.5:20880/a.Demo?skiff.in-clusters=one&skiff.listed=true")}, nullptr,
      "a.Demo");
  ASSERT_EQ(providers.size(), 1U);
  EXPECT_FALSE(is_host_of(providers[0], "one"));
  EXPECT_TRUE(is_listed_provider(providers[0]));
}

}  // namespace
}  // namespace skiff::governance
