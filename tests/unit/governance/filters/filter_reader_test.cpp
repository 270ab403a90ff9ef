#include "governance/filters/filter_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "governance/filters/filter_kinds.h"

namespace skiff::governance {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

struct Reading {
  std::vector<FilterEntryPtr> filters;
  std::string error;
};

Reading read(const std::string& filters, FilterScope scope = FilterScope::kFile) {
  Reading reading;
  const auto read = read_yaml_map("filters:\n" + filters, [&](const YamlFields& fields) {
    reading.filters = read_filters(fields, scope, {StaticCluster{.name = "v2"}});
  });
  if (!read) reading.error = read.error().message;
  return reading;
}

std::string described(const std::string& kind) {
  const Reading reading = read("  - {name: a, " + kind + "}\n");
  EXPECT_THAT(reading.error, IsEmpty()) << kind;
  return reading.filters.size() == 1 ? reading.filters.front()->describe() : "";
}

TEST(FilterReader, ReadsEachKind) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"fault: {delay: {time: 200ms, percent: 10}}", "(fault): delays 10 % by 200ms"},
      {"fault: {abort: {percent: 0.5}}", "(fault): answers 0.5 % with status 80"},
      {"fault: {delay: {time: 1s}, abort: {status: 60, percent: 0}}",
       "(fault): delays 100 % by 1s, answers 0 % with status 60"},
      {"rate_limit: {requests: 10}",
       "(rate_limit): limits all requests to 10 requests in 1s, bursts of 10"},
      {"rate_limit: {requests: 600, per: 1m, burst: 5, by: [service, caller]}",
       "(rate_limit): limits each service and caller to 600 requests in 1m, bursts of 5"},
      {"concurrency_limit: {requests: 3, by: method}",
       "(concurrency_limit): limits each method to 3 requests at a time"},
      {"attachments: {set: {a: b}, remove: [c, d]}", "(attachments): sets a; removes c, d"},
      {"deadline: {}", "(deadline): passes on the time that is left"},
      {"identity: {}", "(identity): appends the caller's address and application, and the agent"},
      {"mirror: {cluster: v2, percent: 1}", "(mirror): sends copies of 1 % to cluster v2"},
      {"mirror: {subset: {release: v2}}",
       "(mirror): sends copies of 100 % to the providers with release=v2"},
      {"access_log: {}", "(access_log): logs 100 %"},
      {"access_log: {percent: 1, slower_than: 500ms, only_failed: true}",
       "(access_log): logs 1 % of those that fail, if they take 500ms or more"},
  };
  for (const auto& [kind, said] : cases) EXPECT_THAT(described(kind), HasSubstr(said)) << kind;
}

TEST(FilterReader, HasATestOfEveryKind) {
  EXPECT_THAT(filter_kinds(), SizeIs(8));  // one more is one more case above
}

TEST(FilterReader, SaysWhatIsWrong) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"name: a", "came none of fault, rate_limit"},
      {"name: a, identity: {}, deadline: {}", "came several of fault"},
      {"identity: {}", "name is missing"},
      {"name: a b, identity: {}", "expected a name"},
      {"name: a, shape: {}, identity: {}", "shape: unknown key"},
      {"name: a, identity: {x: 1}", "identity.x: unknown key"},
      {"name: a, identity: yes", "identity"},
      {"name: a, services: [a b], identity: {}", "expected an interface, a prefix* or *"},
      {"name: a, match: {path: x}, identity: {}", "match.path: unknown key"},
      {"name: a, match: {method: {exact: x, prefix: y}}, identity: {}", "came several of exact"},
      {"name: a, fault: {}", "came none of delay and abort"},
      {"name: a, fault: {delay: {percent: 1}}", "time is missing"},
      {"name: a, fault: {delay: {time: 2d}}", "expected a duration from 1ms to 1h"},
      {"name: a, fault: {abort: {status: 20}}", "status"},
      {"name: a, fault: {abort: {percent: 101}}", "expected a percentage from 0 to 100"},
      {"name: a, fault: {abort: {percent: 0.00001}}", "four decimals at most"},
      {"name: a, fault: {abort: {percent: 60}, delay: {time: 1s, percent: 60}}", "sum to 120 %"},
      {"name: a, rate_limit: {}", "requests is missing"},
      {"name: a, rate_limit: {requests: 0}", "requests"},
      {"name: a, rate_limit: {requests: 1, by: [planet]}", "expected service, method or caller"},
      {"name: a, concurrency_limit: {requests: -1}", "requests"},
      {"name: a, attachments: {}", "came none of set and remove"},
      {"name: a, attachments: {set: {timeout: 1}}", "timeout says what the request is"},
      {"name: a, attachments: {remove: [group]}", "group says what the request is"},
      {"name: a, attachments: {remove: [a, b, c, d, e, f, g, h, i]}", "the limit is 8"},
      {"name: a, mirror: {}", "came none of cluster and subset"},
      {"name: a, mirror: {cluster: v3}", "no cluster v3 is defined"},
      {"name: a, access_log: {slower_than: soon}", "expected a duration"},
  };
  for (const auto& [filter, said] : cases) {
    EXPECT_THAT(read("  - {" + filter + "}\n").error, HasSubstr(said)) << filter;
  }
}

TEST(FilterReader, RefusesTwoOfOneNameAndTooMany) {
  EXPECT_THAT(read("  - {name: a, identity: {}}\n  - {name: a, deadline: {}}\n").error,
              HasSubstr("there is another filter a"));
  std::string many;
  for (std::size_t i = 0; i <= kMaxFilters; ++i) {
    many += "  - {name: f" + std::to_string(i) + ", identity: {}}\n";
  }
  EXPECT_THAT(read(many).error, HasSubstr("came 33 of them, the limit is 32"));
}

TEST(FilterReader, ServicesAreTheVirtualHosts) {
  EXPECT_THAT(
      read("  - {name: a, services: [a.B], identity: {}}\n", FilterScope::kVirtualHost).error,
      HasSubstr("services: unknown key"));
}

TEST(FilterReader, AFilterIsForTheServicesThatItNames) {
  const auto filter = read("  - {name: a, services: [a.Demo, b.*], identity: {}}\n").filters.at(0);
  EXPECT_TRUE(filter->is_for("a.Demo"));
  EXPECT_FALSE(filter->is_for("a.Demo2"));
  EXPECT_TRUE(filter->is_for("b.Any"));
  EXPECT_FALSE(filter->is_for("c.Any"));
}

TEST(FilterReader, MatchesMethodAttachmentsAndApplication) {
  const auto filter = read(
                          "  - name: a\n"
                          "    match: {method: {prefix: find}, application: shop,\n"
                          "            attachments: [{name: user, exact: vip}]}\n"
                          "    identity: {}\n")
                          .filters.at(0);
  const auto matches = [&](std::string_view method, std::string_view application,
                           std::string_view user) {
    dubbo::Attachments attachments;
    attachments.add("user", user);
    RequestFacts facts;
    facts.application = application;
    return filter->matches(facts, {.method = method, .attachments = &attachments});
  };
  EXPECT_TRUE(matches("findAll", "shop", "vip"));
  EXPECT_FALSE(matches("getAll", "shop", "vip"));
  EXPECT_FALSE(matches("findAll", "other", "vip"));
  EXPECT_FALSE(matches("findAll", "", "vip"));
  EXPECT_FALSE(matches("findAll", "shop", "joe"));
}

// Whatever YAML allows, the API shows it as JSON.
TEST(FilterReader, KeepsWhatWasWrittenAsJson) {
  const auto json = [](const std::string& filter) {
    const Reading reading = read("  - {name: a, " + filter + "}\n");
    EXPECT_THAT(reading.error, IsEmpty());
    return reading.filters.empty() ? "" : reading.filters.front()->json;
  };
  EXPECT_EQ(json("match: null, deadline: {}"), R"({"name":"a","match":null,"deadline":{}})");
  EXPECT_EQ(json("attachments: {set: {j: &b w, l: *b}}"),
            R"({"name":"a","attachments":{"set":{"j":"w","l":"w"}}})");
  EXPECT_EQ(json("attachments: {remove: [\"a\\x01\\\"\\\\\"]}"),
            R"({"name":"a","attachments":{"remove":["a\u0001\"\\"]}})");
}

// A limit that is read again goes on counting where it was.
TEST(FilterReader, FiltersThatDidNotChangeStayTheSameObjects) {
  const std::string limit = "  - {name: l, rate_limit: {requests: 1}}\n";
  const Reading before = read(limit + "  - {name: m, mirror: {cluster: v2}}\n");
  Reading now = read("  - {name: new, identity: {}}\n" + limit +
                     "  - {name: m, mirror: {cluster: v2, percent: 1}}\n");
  keep_unchanged(before.filters, now.filters);
  EXPECT_EQ(now.filters.at(1), before.filters.at(0));
  EXPECT_NE(now.filters.at(2), before.filters.at(1));
}

// The same text may mean another cluster.
TEST(FilterReader, AMirrorOfAnotherClusterIsAnotherFilter) {
  const auto with = [](const StaticCluster& cluster) {
    std::vector<FilterEntryPtr> filters;
    const auto read =
        read_yaml_map("filters: [{name: m, mirror: {cluster: v2}}]", [&](const YamlFields& fields) {
          filters = read_filters(fields, FilterScope::kVirtualHost, {cluster});
        });
    EXPECT_TRUE(read);
    return filters.at(0);
  };
  const StaticCluster one{.name = "v2", .subset = {{"release", "v2"}}};
  const StaticCluster other{.name = "v2", .subset = {{"release", "v3"}}};
  EXPECT_TRUE(are_alike(with(one), with(one)));
  EXPECT_FALSE(are_alike(with(one), with(other)));
}

TEST(FilterChain, HasTheFiltersOfEachPointInOrder) {
  const FilterChain chain(read("  - {name: a, deadline: {}}\n"
                               "  - {name: b, concurrency_limit: {requests: 1}}\n"
                               "  - {name: c, attachments: {remove: x}}\n"
                               "  - {name: d, identity: {}}\n")
                              .filters);
  EXPECT_THAT(chain.at(FilterPoint::kReceive), ElementsAre(1));
  EXPECT_THAT(chain.at(FilterPoint::kBeforeRoute), ElementsAre(2));
  EXPECT_THAT(chain.at(FilterPoint::kAfterRoute), IsEmpty());
  EXPECT_THAT(chain.at(FilterPoint::kSend), ElementsAre(0, 3));
  EXPECT_THAT(chain.at(FilterPoint::kLog), ElementsAre(1));
}

}  // namespace
}  // namespace skiff::governance
