// Filters at work: what they do to requests, and that every request leaves nothing behind.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "governance/filters/filter_reader.h"
#include "support/answering_provider.h"
#include "support/forwarder_fixture.h"

namespace skiff::forwarder {
namespace {

using dubbo::Status;
using governance::FilterChain;
using governance::FilterEntryPtr;
using ::testing::AllOf;
using testing::AnsweringProvider;
using testing::eventually;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::RawPeer;
using testing::ReceivedFrame;
using testing::request_frame;
using testing::RequestSpec;
using testing::response_frame;

// In hessian2, texts under 32 bytes are their length and their bytes.
std::string short_text(const std::string& text) {
  return std::string(1, static_cast<char>(text.size())) + text;
}
std::string attachment(const std::string& name, const std::string& value) {
  return short_text(name) + short_text(value);
}

// So many filters that change eight attachments each, a0 and so on: "remove: [" a0, a1 ... "]".
std::string changing_eight_each(int filters, const std::string& begin, const std::string& item_end,
                                const std::string& end) {
  std::string list;
  for (int filter = 0; filter < filters; ++filter) {
    list += "  - {name: f" + std::to_string(filter) + ", attachments: {" + begin;
    for (int i = 0; i < 8; ++i) {
      list += "a" + std::to_string(filter * 8 + i) + item_end + (i < 7 ? ", " : "");
    }
    list += end + "}}\n";
  }
  return list;
}

class Filters : public testing::ForwarderFixture {
 protected:
  // `list` is YAML. The first provider is the cluster's, mirrors go to the second.
  void filter_by(const std::string& list, std::vector<std::uint16_t> ports = {}) {
    std::vector<FilterEntryPtr> entries;
    const auto read =
        governance::read_yaml_map("filters:\n" + list, [&](const governance::YamlFields& fields) {
          entries = governance::read_filters(fields, governance::FilterScope::kFile, {});
        });
    ASSERT_TRUE(read) << read.error().message;
    if (ports.empty()) ports.push_back(provider_.port());
    governance::Cluster cluster;
    cluster.policies = std::make_shared<governance::Policies>(
        governance::Policies{.policy = policy_, .methods = {}});
    for (const std::uint16_t port : ports) cluster.providers.push_back(provider_at(port));
    for (const FilterEntryPtr& entry : entries) {
      if (entry->filter->mirror_target() == nullptr) continue;
      auto target = governance::ProviderSet::none(ports.size());
      target.add(ports.size() - 1);
      cluster.mirrors.push_back({.filter = entry->filter.get(), .providers = target});
      cluster.providers.back().weight = 0;
    }
    forwarder_->update_route(
        std::make_shared<const governance::ServiceRoute>(governance::ServiceRoute{
            "a.Service", {cluster}, std::make_shared<const FilterChain>(std::move(entries))}));
    forwarder_->snapshot(testing::kDeadline);
  }
  RawPeer consumer() { return RawPeer::connect(forwarder_->outbound_port()); }
  static ReceivedFrame call(RawPeer& client, const RequestSpec& spec) {
    client.send(request_frame(spec));
    auto answer = client.receive();
    EXPECT_TRUE(answer);
    EXPECT_EQ(answer->header.request_id, spec.id);
    return answer ? *answer : ReceivedFrame{};
  }
  bool nothing_is_left() {
    return eventually([&] { return gauge("outbound_filtered") == 0; });
  }

  governance::Policy policy_;  // of filter_by()'s cluster
};

TEST_F(Filters, AFaultAnswersItsShareOfTheRequests) {
  start();
  AnsweringProvider provider;
  filter_by(
      "  - {name: broken, match: {method: hi}, fault: {abort: {status: 60, message: gone}}}\n",
      {provider.port()});
  RawPeer client = consumer();
  const ReceivedFrame refused = call(client, {.id = 1});
  EXPECT_EQ(refused.header.status, Status::kServiceNotFound);
  EXPECT_THAT(refused.body(), HasSubstr("a.Service, method hi is refused by filter broken: gone"));
  EXPECT_EQ(call(client, {.id = 2, .method = "bye"}).header.status, Status::kOk);
  EXPECT_EQ(provider.requests(), 1U);
  EXPECT_EQ(counter("outbound_refused_by_filter_total"), 1U);
}

TEST_F(Filters, AFaultOfHalfOfTheRequestsIsHalf) {
  start();
  AnsweringProvider provider;
  filter_by("  - {name: f, fault: {abort: {percent: 25}, delay: {time: 1ms, percent: 25}}}\n",
            {provider.port()});
  RawPeer client = consumer();
  constexpr std::uint64_t kCalls = 400;
  for (std::uint64_t id = 1; id <= kCalls; ++id) call(client, {.id = id});
  // 100 of each are expected; six standard deviations are 52.
  EXPECT_NEAR(static_cast<double>(counter("outbound_refused_by_filter_total")), 100, 52);
  EXPECT_NEAR(static_cast<double>(counter("outbound_delayed_total")), 100, 52);
}

TEST_F(Filters, ADelayedRequestGoesOnBehindTheFilterThatDelayedIt) {
  start();
  AnsweringProvider provider;
  filter_by(
      "  - {name: before, rate_limit: {requests: 1, per: 1h}}\n"
      "  - {name: slow, fault: {delay: {time: 60ms}}}\n"
      "  - {name: behind, rate_limit: {requests: 1, per: 1h}}\n",
      {provider.port()});
  RawPeer client = consumer();
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(call(client, {.id = 1}).header.status, Status::kOk);
  EXPECT_GE(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(60));
  EXPECT_EQ(forwarder_->snapshot(testing::kDeadline).methods["a.Service"]["hi"].requests, 1U);
  EXPECT_TRUE(nothing_is_left());
}

TEST_F(Filters, ARequestWhoseFiltersChangeWhileItIsDelayedGoesOn) {
  start();
  AnsweringProvider provider;
  filter_by("  - {name: slow, fault: {delay: {time: 60ms}}}\n", {provider.port()});
  RawPeer client = consumer();
  client.send(request_frame({.id = 1}));
  ASSERT_TRUE(eventually([&] { return gauge("outbound_delayed") == 1; }));
  filter_by("  - {name: broken, fault: {abort: {}}}\n", {provider.port()});
  EXPECT_EQ(client.receive()->header.status, Status::kOk);
  EXPECT_TRUE(nothing_is_left());
}

TEST_F(Filters, ARateLimitRefusesWhatIsOver) {
  config_.workers = 2;  // which have one limit together
  start();
  AnsweringProvider provider;
  filter_by("  - {name: limit, rate_limit: {requests: 3, per: 1h, by: [method]}}\n",
            {provider.port()});
  std::vector<RawPeer> clients;
  clients.reserve(4);
  for (int i = 0; i < 4; ++i) clients.push_back(consumer());
  std::size_t good = 0;
  for (std::uint64_t id = 1; id <= 8; ++id) {
    const ReceivedFrame answer = call(clients[id % clients.size()], {.id = id});
    if (answer.header.status == Status::kOk) {
      ++good;
    } else {
      EXPECT_EQ(answer.header.status, Status::kServerThreadpoolExhausted);
      EXPECT_THAT(answer.body(),
                  HasSubstr("over the limit of 3 requests in 1h, bursts of 3, for method hi"));
    }
  }
  EXPECT_EQ(good, 3U);
  EXPECT_EQ(call(clients[0], {.id = 9, .method = "bye"}).header.status, Status::kOk);
}

TEST_F(Filters, AConcurrencyLimitCountsWhatIsUnderWay) {
  start();
  filter_by("  - {name: limit, concurrency_limit: {requests: 1}}\n");
  RawPeer client = consumer();
  client.send(request_frame({.id = 1}));
  RawPeer upstream = provider_.accept();
  const auto first = upstream.receive();
  ASSERT_TRUE(first);
  const ReceivedFrame refused = call(client, {.id = 2});
  EXPECT_EQ(refused.header.status, Status::kServerThreadpoolExhausted);
  EXPECT_THAT(refused.body(), HasSubstr("over the limit of 1 requests at a time"));
  upstream.send(response_frame(first->header.request_id, "done"));
  EXPECT_EQ(client.receive()->header.request_id, 1U);
  client.send(request_frame({.id = 3}));
  EXPECT_TRUE(upstream.receive());
}

// However a request ends, its place is free again.
TEST_F(Filters, AConcurrencyLimitIsFreedByEveryKindOfEnd) {
  start();
  filter_by("  - {name: limit, concurrency_limit: {requests: 1}}\n");
  RawPeer client = consumer();
  client.send(request_frame({.id = 1, .attachments = {{"timeout", "50"}}}));
  RawPeer upstream = provider_.accept();
  ASSERT_TRUE(upstream.receive());
  EXPECT_EQ(client.receive()->header.status, Status::kServerTimeout);
  {  // its consumer goes, and its answer finds nobody
    RawPeer other = consumer();
    other.send(request_frame({.id = 2}));
    const auto orphan = upstream.receive();
    ASSERT_TRUE(orphan);
    other.close();
    ASSERT_TRUE(eventually([&] { return gauge("outbound_connections") == 1; }));
    upstream.send(response_frame(orphan->header.request_id, "late"));
  }
  ASSERT_TRUE(nothing_is_left());
  client.send(request_frame({.id = 3, .two_way = false}));
  ASSERT_TRUE(upstream.receive());
  ASSERT_TRUE(nothing_is_left());
  client.send(request_frame({.id = 4}));  // its connection is lost
  ASSERT_TRUE(upstream.receive());
  upstream.close();
  EXPECT_EQ(client.receive()->header.status, Status::kServerError);
  EXPECT_TRUE(nothing_is_left());
}

TEST_F(Filters, AttachmentsAreSetInPlace) {
  start();
  filter_by("  - {name: mark, attachments: {set: {dubbo.tag: gray}}}\n");
  RawPeer client = consumer();
  client.send(request_frame({.id = 1, .attachments = {{"a", "b"}}}));
  RawPeer upstream = provider_.accept();
  EXPECT_THAT(upstream.receive()->body(),
              AllOf(HasSubstr(attachment("a", "b")), HasSubstr(attachment("dubbo.tag", "gray"))));
}

TEST_F(Filters, AttachmentsAreRemovedFromTheBytesThatLeave) {
  start();
  filter_by("  - {name: strip, attachments: {remove: [secret]}}\n");
  RawPeer client = consumer();
  client.send(request_frame({.id = 1, .attachments = {{"a", "b"}, {"secret", "42"}, {"z", "y"}}}));
  RawPeer upstream = provider_.accept();
  const std::string body = upstream.receive()->body();
  EXPECT_THAT(body, Not(HasSubstr("secret")));
  EXPECT_THAT(body, AllOf(HasSubstr(attachment("a", "b")), HasSubstr(attachment("z", "y"))));
}

TEST_F(Filters, MoreThanCanBeRemovedIsRefusedRatherThanSent) {
  start();
  AnsweringProvider provider;
  filter_by(changing_eight_each(9, "remove: [", "", "]"), {provider.port()});
  RawPeer client = consumer();
  const ReceivedFrame answer = call(client, {.id = 1, .attachments = {{"a71", "secret"}}});
  EXPECT_EQ(answer.header.status, Status::kBadRequest);
  EXPECT_THAT(answer.body(), HasSubstr("filters remove more than 64 attachments"));
  EXPECT_EQ(provider.requests(), 0U);
}

// Its cluster's mode hides failures that may pass: this one would be the same again.
TEST_F(Filters, WhatCannotBeRemovedIsNeitherHiddenNorTriedAgain) {
  policy_.mode = governance::ClusterMode::kFailback;
  start();
  filter_by(changing_eight_each(9, "remove: [", "", "]"));
  RawPeer client = consumer();
  EXPECT_EQ(call(client, {.id = 1}).header.status, Status::kBadRequest);
  EXPECT_EQ(gauge("outbound_failback_waiting"), 0U);
}

TEST_F(Filters, ARequestThatCannotBeChangedInSeveralPlacesIsCountedOnce) {
  start();
  AnsweringProvider provider;
  filter_by(changing_eight_each(4, "set: {", ": b", "}"), {provider.port()});
  RawPeer client = consumer();
  EXPECT_EQ(call(client, {.id = 1}).header.status, Status::kOk);
  EXPECT_EQ(call(client, {.id = 2}).header.status, Status::kOk);
  EXPECT_EQ(counter("outbound_attachments_left_out_total"), 2U);
}

TEST_F(Filters, WhatOneFilterSetsAnotherMayRemove) {
  start();
  filter_by(
      "  - {name: set, attachments: {set: {dubbo.tag: gray, b: c}}}\n"
      "  - {name: strip, attachments: {remove: [dubbo.tag, dubbo.tag]}}\n");
  RawPeer client = consumer();
  client.send(request_frame({.id = 1}));
  RawPeer upstream = provider_.accept();
  EXPECT_THAT(upstream.receive()->body(),
              AllOf(Not(HasSubstr("dubbo.tag")), HasSubstr(attachment("b", "c"))));
}

TEST_F(Filters, ADelayOverTheTimeoutIsNoFailureOfTheProvider) {
  start();
  AnsweringProvider provider;
  filter_by("  - {name: slow, match: {method: hi}, fault: {delay: {time: 30ms}}}\n",
            {provider.port()});
  RawPeer client = consumer();
  EXPECT_EQ(call(client, {.id = 1, .method = "bye"}).header.status, Status::kOk);
  for (std::uint64_t id = 2; id <= 8; ++id) {
    const ReceivedFrame answer = call(client, {.id = id, .attachments = {{"timeout", "10"}}});
    EXPECT_EQ(answer.header.status, Status::kServerTimeout);
  }
  EXPECT_EQ(provider.requests(), 1U);
  EXPECT_EQ(gauge("upstream_ejected"), 0U);
}

TEST_F(Filters, ADelayEndsWithTheTimeoutThatTheRequestNames) {
  start();
  filter_by("  - {name: slow, fault: {delay: {time: 1h}}}\n");
  RawPeer client = consumer();
  const ReceivedFrame answer = call(client, {.id = 1, .attachments = {{"timeout", "30"}}});
  EXPECT_EQ(answer.header.status, Status::kServerTimeout);
  EXPECT_TRUE(nothing_is_left());
}

TEST_F(Filters, ADeadlinePassesOnTheTimeThatIsLeft) {
  start();
  filter_by(
      "  - {name: slow, fault: {delay: {time: 60ms}}}\n"
      "  - {name: deadline, deadline: {}}\n");
  RawPeer client = consumer();
  client.send(request_frame({.id = 1, .attachments = {{"timeout", "9000"}}}));
  RawPeer upstream = provider_.accept();
  EXPECT_THAT(upstream.receive()->body(), HasSubstr(short_text("timeout") + "\x04" + "8"));
}

TEST_F(Filters, WhatIsOverItsDeadlineIsNotSent) {
  start();
  AnsweringProvider provider;
  filter_by(
      "  - {name: slow, fault: {delay: {time: 60ms}}}\n"
      "  - {name: deadline, deadline: {}}\n",
      {provider.port()});
  RawPeer client = consumer();
  const ReceivedFrame answer = call(client, {.id = 1, .attachments = {{"timeout", "20"}}});
  EXPECT_EQ(answer.header.status, Status::kServerTimeout);
  EXPECT_THAT(answer.body(), HasSubstr("20 ms, was over before it could be sent"));
  EXPECT_EQ(provider.requests(), 0U);
}

TEST_F(Filters, AnIdentityCannotBeForged) {
  config_.agent_name = "host-a";
  start();
  filter_by("  - {name: who, identity: {}}\n");
  RawPeer client = consumer();
  client.send(request_frame(
      {.id = 1, .attachments = {{"remote.application", "shop"}, {"skiff.agent", "forged"}}}));
  RawPeer upstream = provider_.accept();
  const std::string body = upstream.receive()->body();
  EXPECT_THAT(body, HasSubstr(attachment("skiff.caller.application", "shop")));
  EXPECT_THAT(body, HasSubstr(short_text("skiff.caller.address")));
  // The last one of a name counts.
  EXPECT_GT(body.rfind(attachment("skiff.agent", "host-a")),
            body.rfind(attachment("skiff.agent", "forged")));
}

TEST_F(Filters, AnIdentityCannotBeForgedByOneWhoLeaves) {
  start();
  filter_by(
      "  - {name: slow, fault: {delay: {time: 60ms}}}\n"
      "  - {name: who, identity: {}}\n");
  {
    RawPeer client = consumer();
    client.send(request_frame(
        {.id = 1, .attachments = {{"skiff.caller.address", "10.0.0.1"}}, .two_way = false}));
    ASSERT_TRUE(eventually([&] { return gauge("outbound_delayed") == 1; }));
  }
  RawPeer upstream = provider_.accept();
  const std::string body = upstream.receive()->body();
  const std::size_t ours = body.rfind(attachment("skiff.caller.address", ""));
  ASSERT_NE(ours, std::string::npos);
  EXPECT_GT(ours, body.rfind(attachment("skiff.caller.address", "10.0.0.1")));
}

TEST_F(Filters, AMirrorSendsCopiesWhoseAnswersNobodyGets) {
  start();
  AnsweringProvider provider("real");
  AnsweringProvider shadow("shadow");
  filter_by("  - {name: m, mirror: {subset: {release: v2}}}\n", {provider.port(), shadow.port()});
  RawPeer client = consumer();
  for (std::uint64_t id = 1; id <= 20; ++id) {
    EXPECT_THAT(call(client, {.id = id}).body(), HasSubstr("real"));
  }
  EXPECT_TRUE(eventually([&] { return shadow.requests() == 20; }));
  EXPECT_EQ(provider.requests(), 20U);
  EXPECT_EQ(counter("outbound_mirrored_total"), 20U);
  EXPECT_EQ(counter("outbound_mirror_failures_total"), 0U);
}

TEST_F(Filters, AMirrorThatCannotBeReachedHarmsNobody) {
  start();
  AnsweringProvider provider("real");
  const std::uint16_t nobody = testing::closed_port();
  filter_by("  - {name: m, mirror: {subset: {release: v2}}}\n", {provider.port(), nobody});
  RawPeer client = consumer();
  for (std::uint64_t id = 1; id <= 5; ++id) {
    EXPECT_THAT(call(client, {.id = id}).body(), HasSubstr("real"));
  }
  EXPECT_TRUE(eventually([&] { return counter("outbound_mirror_failures_total") == 5; }));
  EXPECT_EQ(forwarder_->snapshot(testing::kDeadline).methods["a.Service"]["hi"].failures, 0U);
}

TEST_F(Filters, TheOnesThatAreForARequestAreExplained) {
  start();
  filter_by(
      "  - {name: slow, match: {method: hi}, fault: {delay: {time: 60ms}}}\n"
      "  - {name: other, match: {method: bye}, deadline: {}}\n");
  const auto explanation =
      forwarder_->explain({.interface = "a.Service", .method = "hi"}, testing::kDeadline);
  ASSERT_TRUE(explanation);
  EXPECT_THAT(explanation->filters,
              ::testing::ElementsAre("filter slow (fault): delays 100 % by 60ms"));
}

}  // namespace
}  // namespace skiff::forwarder
