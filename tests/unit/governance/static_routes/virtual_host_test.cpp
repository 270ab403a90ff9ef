#include "governance/static_routes/virtual_host.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "governance/static_routes/limits.h"

namespace skiff::governance {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr const char* kWhole = R"(
name: demo
domains: [com.example.DemoService, "com.example.demo.*"]
group: blue
version: 1.0.0
routes:
  - name: canary
    match:
      method: {prefix: find}
      attachments:
        - {name: env, exact: gray}
        - {name: user, regex: "[0-9]+", invert: true}
        - {name: age, range: {start: 18, end: 65}}
        - {name: trace, present: true}
    weighted_clusters:
      - {name: v2, weight: 10}
      - {name: v1, weight: 90}
    timeout: 500ms
    retry_policy: {retry_on: "reset, connect-failure", num_retries: 1}
  - match: {method: sayHello}
    cluster: pool
  - cluster: v1
clusters:
  - {name: v1, subset: {release: v1}}
  - {name: v2, subset: {release: v2}, lb_type: LEAST_REQUEST}
  - name: pool
    lb_type: ROUNDROBIN
    hosts:
      - {address: "10.0.0.5:20880", weight: 128}
      - {address: "[::1]:20880"}
)";

TEST(VirtualHost, IsReadFromYaml) {
  const auto host = parse_virtual_host(kWhole);
  ASSERT_TRUE(host) << host.error().message;
  EXPECT_EQ(host->name, "demo");
  EXPECT_THAT(host->domains, ElementsAre("com.example.DemoService", "com.example.demo.*"));
  EXPECT_EQ(host->group, "blue");
  EXPECT_EQ(host->version, "1.0.0");
  ASSERT_EQ(host->routes.size(), 3U);
  const RouteEntry& canary = host->routes[0];
  EXPECT_EQ(canary.name, "canary");
  ASSERT_TRUE(canary.match.method);
  EXPECT_EQ(canary.match.method->to_string(), "prefix find");
  ASSERT_EQ(canary.match.attachments.size(), 4U);
  EXPECT_EQ(canary.match.attachments[1].value.to_string(), "not regex [0-9]+");
  EXPECT_EQ(canary.match.attachments[2].value.to_string(), "range 18..65");
  EXPECT_THAT(canary.clusters, ElementsAre(WeightedCluster{"v2", 10}, WeightedCluster{"v1", 90}));
  EXPECT_EQ(canary.timeout, 500ms);
  EXPECT_EQ(canary.retries, 1U);
  EXPECT_EQ(host->routes[1].match.method->to_string(), "exact sayHello");
  EXPECT_FALSE(host->routes[2].match.method);
  EXPECT_FALSE(host->routes[2].timeout);
  EXPECT_FALSE(host->routes[2].retries);
  EXPECT_EQ(host->cluster("v2")->balance, LoadBalance::kLeastActive);
  EXPECT_FALSE(host->cluster("v1")->balance);
  EXPECT_THAT(host->cluster("pool")->hosts,
              ElementsAre(StaticHost{"10.0.0.5", 20880, 128}, StaticHost{"::1", 20880, 1}));
}

TEST(VirtualHost, IsReadFromJson) {
  const auto host = parse_virtual_host(
      R"({"domains":["a.Demo"],"routes":[{"match":{"method":{"exact":"x"}},"cluster":"all",)"
      "\n\t\t"
      R"("retry_policy":{"retry_on":true,"num_retries":3}}],"clusters":[{"name":"all"}]})",
      "demo");
  ASSERT_TRUE(host) << host.error().message;
  EXPECT_EQ(host->name, "demo");
  EXPECT_EQ(host->routes[0].retries, 3U);
  EXPECT_THAT(host->cluster("all")->hosts, IsEmpty());
}

TEST(VirtualHost, NeedsItsNameUnlessTheCallerHasOne) {
  const std::string rest = "domains: '*'\nroutes: [{cluster: all}]\nclusters: [{name: all}]\n";
  EXPECT_THAT(parse_virtual_host(rest).error().message, HasSubstr("name is missing"));
  EXPECT_TRUE(parse_virtual_host(rest, "demo"));
  EXPECT_TRUE(parse_virtual_host("name: demo\n" + rest, "demo"));
  EXPECT_THAT(parse_virtual_host("name: other\n" + rest, "demo").error().message,
              HasSubstr("line 1: name: came 'other', expected demo"));
}

TEST(VirtualHost, VersionOfZerosIsNone) {
  EXPECT_EQ(parse_virtual_host("{name: a, version: 0.0.0, domains: '*', routes: [{cluster: x}], "
                               "clusters: [{name: x}]}")
                ->version,
            "");
}

// `entry` in place of a good one.
std::string with_entry(const std::string& entry) {
  return "name: demo\ndomains: [a.Demo]\nclusters: [{name: a}, {name: b}]\nroutes:\n- " + entry;
}

TEST(VirtualHost, WeightsSumToAHundred) {
  const auto weights = [](const std::string& a, const std::string& b) {
    return parse_virtual_host(with_entry("weighted_clusters: [{name: a, weight: " + a +
                                         "}, {name: b, weight: " + b + "}]"));
  };
  EXPECT_TRUE(weights("1", "99"));
  EXPECT_TRUE(weights("0", "100"));
  EXPECT_EQ(weights("9", "90").error().message,
            "line 5: routes[0].weighted_clusters: weights sum to 99, expected 100");
  EXPECT_THAT(weights("11", "90").error().message, HasSubstr("sum to 101, expected 100"));
  for (const char* wrong : {"-1", "1.5", "101", "many", "[]", "''"}) {
    EXPECT_THAT(weights(wrong, "90").error().message,
                AllOf(HasSubstr("routes[0].weighted_clusters[0].weight: came"),
                      HasSubstr("expected a whole number from 0 to 100"), Not(HasSubstr("sum"))))
        << wrong;
  }
}

TEST(VirtualHost, RetriesAreThoseThatMeanSomething) {
  const auto retries = [](const std::string& policy) {
    const auto host = parse_virtual_host(with_entry("{cluster: a, retry_policy: " + policy + "}"));
    EXPECT_TRUE(host) << host.error().message;
    return host ? host->routes[0].retries : std::nullopt;
  };
  EXPECT_EQ(retries("{num_retries: 0}"), 0U);
  EXPECT_EQ(retries("{num_retries: 10}"), 10U);
  EXPECT_EQ(retries("{}"), 2U);
  EXPECT_EQ(retries("{retry_on: [reset], num_retries: 1}"), 1U);
  EXPECT_EQ(retries("{retry_on: connect-failure, num_retries: 1}"), 0U);
  EXPECT_EQ(retries("{retry_on: false, num_retries: 1}"), 0U);
}

struct Mistake {
  const char* text;
  const char* said;
};

TEST(VirtualHost, SaysWhatIsWrongWithAnEntry) {
  for (const auto& [entry, said] : std::initializer_list<Mistake>{
           {"{}", "routes[0]: came none of cluster and weighted_clusters"},
           {"{cluster: a, weighted_clusters: [{name: a, weight: 100}]}", "came both of cluster"},
           {"{cluster: c}", "routes[0].cluster: no cluster c is defined"},
           {"{weighted_clusters: [{name: c, weight: 100}]}",
            "routes[0].weighted_clusters: no cluster c is defined"},
           {"{weighted_clusters: [{name: a, weight: 50}, {name: a, weight: 50}]}", "given twice"},
           {"{weighted_clusters: [{name: a}]}", "weight is missing"},
           {"{weighted_clusters: []}", "sum to 0"},
           {"{cluster: a, timout: 1s}", "line 5: routes[0].timout: unknown key"},
           {"{cluster: a, cluster: b}", "routes[0].cluster: given twice"},
           {"{cluster: a, timeout: 0}", "routes[0].timeout: came '0', expected a duration"},
           {"{cluster: a, timeout: 2h}", "from 1ms to 1h"},
           {"{cluster: a, timeout: 5}", "routes[0].timeout: came '5'"},
           {"{cluster: a, name: 'a b'}", "routes[0].name: came 'a b'"},
           {"{cluster: a, match: {method: {}}}", "match.method: came none of exact"},
           {"{cluster: a, match: {method: {exact: a, prefix: b}}}", "came several of exact"},
           {"{cluster: a, match: {method: {exakt: a}}}", "match.method.exakt: unknown key"},
           {"{cluster: a, match: {method: [a]}}", "match.method: came a list, expected a map"},
           {"{cluster: a, match: {path: a}}", "match.path: unknown key"},
           {"{cluster: a, match: {method: {regex: '('}}}", "match.method.regex: the regular"},
           {"{cluster: a, match: {attachments: [{exact: a}]}}", "attachments[0]: name is missing"},
           {"{cluster: a, match: {attachments: [{name: k}]}}", "attachments[0]: came none of"},
           {"{cluster: a, match: {attachments: [{name: k, range: {start: 1}}]}}", "end is missing"},
           {"{cluster: a, match: {attachments: [{name: k, range: {start: 1, end: 1}}]}}",
            "nothing is from 1 to below 1"},
           {"{cluster: a, match: {attachments: [{name: k, exact: a, invert: maybe}]}}",
            "attachments[0].invert: came 'maybe', expected true or false"},
           {"{cluster: a, retry_policy: {num_retries: 11}}", "a whole number from 0 to 10"},
           {"{cluster: a, retry_policy: {retry_on: 5xx}}", "retry_on: came '5xx', expected reset"},
           {"{cluster: a, retry_policy: {retry_timeout: 1s}}", "retry_timeout: not supported"},
           {"text", "routes[0]: came 'text', expected a map"},
       }) {
    const auto host = parse_virtual_host(with_entry(entry));
    ASSERT_FALSE(host) << entry;
    EXPECT_THAT(host.error().message, AllOf(HasSubstr(said), HasSubstr("line 5"))) << entry;
  }
}

TEST(VirtualHost, RoutesWithTheSameNameAreNamed) {
  EXPECT_EQ(parse_virtual_host(with_entry("{cluster: a, name: x}\n- {cluster: b, name: x}"))
                .error()
                .message,
            "line 6: routes[1].name: there is another route x");
}

TEST(VirtualHost, SaysWhatIsWrongWithACluster) {
  for (const auto& [cluster, said] : std::initializer_list<Mistake>{
           {"{}", "clusters[0]: name is missing"},
           {"{name: a}, {name: a}", "clusters[1].name: there is another cluster a"},
           {"{name: a, lb_type: MAGLEV}",
            "clusters[0].lb_type: came 'MAGLEV', expected ROUNDROBIN"},
           {"{name: a, hosts: []}", "clusters[0].hosts: came an empty list"},
           {"{name: a, hosts: [{address: 'db:20880'}]}", "came 'db:20880', expected a numeric"},
           {"{name: a, hosts: [{address: 10.0.0.5}]}", "expected a numeric address with a port"},
           {"{name: a, hosts: [{weight: 1}]}", "clusters[0].hosts[0]: address is missing"},
           {"{name: a, hosts: [{address: '10.0.0.5:1', weight: 0}]}", "from 1 to 128"},
           {"{name: a, hosts: [{address: '10.0.0.5:1', weight: 129}]}", "from 1 to 128"},
           {"{name: a, hosts: [{address: '10.0.0.5:1'}, {address: '10.0.0.5:1'}]}",
            "hosts[1].address: 10.0.0.5:1 is given twice"},
           {"{name: a, hosts: [{address: '10.0.0.5:1'}]}, "
            "{name: b, hosts: [{address: '10.0.0.5:1', weight: 2}]}",
            "host 10.0.0.5:1 has weight 1 in cluster a and weight 2 in cluster b"},
           {"{name: a, subset: {x: y}, hosts: [{address: '10.0.0.5:1'}]}", "clusters[0].subset"},
           {"{name: a, subset: {x: [y]}}", "clusters[0].subset.x: came a list, expected a text"},
           {"{name: a, subset: {x: }}", "clusters[0].subset.x: came nothing"},
           {"{name: a, host: []}", "clusters[0].host: unknown key"},
       }) {
    const auto host =
        parse_virtual_host("name: demo\ndomains: ['*']\nroutes: [{cluster: a}]\nclusters: [" +
                           std::string(cluster) + "]");
    ASSERT_FALSE(host) << cluster;
    EXPECT_THAT(host.error().message, AllOf(HasSubstr(said), HasSubstr("line 4"))) << cluster;
  }
}

TEST(VirtualHost, SaysWhatIsWrongWithItsOwnKeys) {
  const std::string rest = "routes: [{cluster: a}]\nclusters: [{name: a}]\n";
  for (const auto& [text, said] : std::initializer_list<Mistake>{
           {"", "domains: came none"},
           {"domains: []", "domains: came none"},
           {"domains: ['*.Demo']", "line 1: domains: came '*.Demo', expected an interface"},
           {"domains: ['a b']", "came 'a b'"},
           {"domains: ['']", "came ''"},
           {"domains: [a.Demo, a.Demo]", "domains: a.Demo is given twice"},
           {"domains: {a: b}", "domains: came a map"},
           {"domains: a\ngroup: 'x,y'", "line 2: group: came 'x,y'"},
           {"domains: a\nversion: '*'", "line 2: version: came '*'"},
           {"domains: a\nroute: []", "line 2: route: unknown key"},
       }) {
    const auto host = parse_virtual_host(text + ("\n" + rest), "demo");
    ASSERT_FALSE(host) << text;
    EXPECT_THAT(host.error().message, HasSubstr(said)) << text;
  }
  EXPECT_THAT(parse_virtual_host("domains: a", "demo").error().message,
              HasSubstr("routes: came none"));
  EXPECT_THAT(parse_virtual_host("[]", "demo").error().message, HasSubstr("expected a map"));
  EXPECT_THAT(parse_virtual_host("a: [", "demo").error().message, HasSubstr("not YAML"));
}

TEST(VirtualHost, SaysAllThatIsWrongAtOnceButNotWithoutEnd) {
  const auto two = parse_virtual_host("domains: []\nroutes: [{}]", "demo");
  EXPECT_THAT(two.error().message, AllOf(HasSubstr("domains"), HasSubstr("; line 2: routes[0]")));
  std::string many = "domains: a\nroutes: [{cluster: a}]\nclusters: [{name: a}]\n";
  for (int i = 0; i < 10'000; ++i) many += "k" + std::to_string(i) + ":\n";
  EXPECT_LT(parse_virtual_host(many, "demo").error().message.size(), 10'000U);
}

TEST(VirtualHost, HasALimitForEverything) {
  const auto list_of = [](std::size_t count, const std::string& item) {
    std::string text = "[";
    for (std::size_t i = 0; i < count; ++i) text += item + ",";
    return text + "]";
  };
  for (const auto& [text, said] : std::initializer_list<std::pair<std::string, const char*>>{
           {"domains: " + list_of(kMaxDomains + 1, "a"), "domains: came 257 of them"},
           {"routes: " + list_of(kMaxRouteEntries + 1, "{}"), "routes: came 257 of them"},
           {"clusters: " + list_of(kMaxStaticClusters + 1, "{}"), "clusters: came 129 of them"},
           {"clusters: [{hosts: " + list_of(kMaxStaticHosts + 1, "{}") + "}]",
            "hosts: came 1001 of them"},
           {"routes: [{weighted_clusters: " + list_of(kMaxWeightedClusters + 1, "{}") + "}]",
            "weighted_clusters: came 17 of them"},
           {"routes: [{match: {attachments: " + list_of(kMaxAttachmentMatchers + 1, "{}") + "}}]",
            "attachments: came 17 of them"},
           {"routes: [{match: {method: " + std::string(kMaxRouteTextBytes + 1, 'x') + "}}]",
            "the limit is 1024"},
           {"routes: [{name: " + std::string(kMaxRouteNameBytes + 1, 'x') + "}]",
            "with at most 128 bytes"},
           {std::string(kMaxRuleBytes + 1, ' '), "the limit is"},
       }) {
    const auto host = parse_virtual_host(text, "demo");
    ASSERT_FALSE(host);
    EXPECT_THAT(host.error().message, HasSubstr(said));
  }
}

}  // namespace
}  // namespace skiff::governance
