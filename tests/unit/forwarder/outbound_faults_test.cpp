// What providers do wrong, as a consumer of 20881 sees it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <vector>

#include "forwarder/limits.h"
#include "support/answering_provider.h"
#include "support/forwarder_fixture.h"

namespace skiff::forwarder {
namespace {

using dubbo::Status;
using testing::AnsweringProvider;
using testing::eventually;
using ::testing::HasSubstr;
using testing::RawListener;
using testing::RawPeer;
using testing::ReceivedFrame;
using testing::request_frame;
using testing::response_frame;

constexpr const char* kShortMs = "30";

class OutboundFaults : public testing::ForwarderFixture {
 protected:
  RawPeer consumer() { return RawPeer::connect(forwarder_->outbound_port()); }

  // What was sent to it is not sent again, unless a test allows it.
  static governance::ProviderEndpoint provider_at(std::uint16_t port, std::uint32_t weight) {
    governance::ProviderEndpoint provider = ForwarderFixture::provider_at(port);
    provider.weight = weight;
    provider.retries = 0;
    return provider;
  }

  // The first one gets everything; the second one what the first one must not get.
  void start_with_substitute() { start_with_retries(0, substitute_.port()); }

  // The same, where what the first one loses may be sent again; empty: it does not say.
  void start_with_retries(std::optional<std::uint32_t> retries, std::uint16_t other) {
    start();
    governance::ProviderEndpoint first = provider_at(provider_.port(), 100);
    first.retries = retries;
    route({first, provider_at(other, 0)});
  }

  static Status status_of(RawPeer& consumer, std::uint64_t id) {
    const auto answer = consumer.receive();
    EXPECT_TRUE(answer) << "no answer";
    if (!answer) return Status::kOk;
    EXPECT_EQ(answer->header.request_id, id);
    return answer->header.status;
  }

  // Requests that the provider leaves unanswered until it is ejected.
  void time_out_until_ejected(RawPeer& client) {
    for (std::uint64_t id = 1; id <= limits::kFailuresToEject; ++id) {
      client.send(request_frame({.id = id, .attachments = {{"timeout", kShortMs}}}));
      ASSERT_EQ(status_of(client, id), Status::kServerTimeout);
    }
    ASSERT_EQ(counter("upstream_ejections_total"), 1U);
  }

  // Takes the next request from `upstream` and answers it.
  static void serve_one(RawPeer& upstream, const std::string& value) {
    const auto request = upstream.receive();
    ASSERT_TRUE(request);
    upstream.send(response_frame(request->header.request_id, value));
  }

  RawListener substitute_;
};

TEST_F(OutboundFaults, EjectsAProviderThatNeverAnswers) {
  start_with_substitute();
  RawPeer client = consumer();
  time_out_until_ejected(client);
  client.send(request_frame({.id = 100}));
  RawPeer upstream = substitute_.accept();
  serve_one(upstream, "from the substitute");
  EXPECT_EQ(client.receive()->bytes, response_frame(100, "from the substitute"));
  EXPECT_EQ(counter("outbound_timeouts_total"), std::uint64_t{limits::kFailuresToEject});
  EXPECT_EQ(gauge("upstream_ejected"), 1U);
}

TEST_F(OutboundFaults, ProbesAnEjectedProviderWithOneRequestAndTakesItBack) {
  start_with_substitute();
  RawPeer client = consumer();
  time_out_until_ejected(client);
  RawPeer ejected = provider_.accept();
  for (int i = 0; i < limits::kFailuresToEject; ++i) ASSERT_TRUE(ejected.receive());

  client.send(request_frame({.id = 100}));
  RawPeer upstream = substitute_.accept();
  serve_one(upstream, "substitute");
  ASSERT_TRUE(client.receive());
  std::uint64_t id = 100;
  ASSERT_TRUE(eventually([&] {  // until the pause is over
    client.send(request_frame({.id = ++id}));
    EXPECT_TRUE(eventually([&] { return ejected.has_input() || upstream.has_input(); }));
    if (ejected.has_input()) return true;
    serve_one(upstream, "substitute");
    return !client.receive().has_value();
  }));
  // The probe is on its way: the next one goes to the substitute still.
  client.send(request_frame({.id = ++id}));
  serve_one(upstream, "substitute");
  EXPECT_EQ(client.receive()->bytes, response_frame(id, "substitute"));
  serve_one(ejected, "probe");
  EXPECT_EQ(client.receive()->bytes, response_frame(id - 1, "probe"));
  client.send(request_frame({.id = ++id}));
  EXPECT_EQ(gauge("upstream_ejected"), 0U);
  serve_one(ejected, "back");
  EXPECT_EQ(client.receive()->bytes, response_frame(id, "back"));
  EXPECT_EQ(counter("upstream_probes_total"), 1U);
}

TEST_F(OutboundFaults, KeepsAFailingProviderWhereItIsTheOnlyOne) {
  start();
  route({provider_at(provider_.port(), 100)});
  RawPeer client = consumer();
  time_out_until_ejected(client);
  RawPeer upstream = provider_.accept();
  for (int i = 0; i < limits::kFailuresToEject; ++i) ASSERT_TRUE(upstream.receive());
  client.send(request_frame({.id = 100}));
  serve_one(upstream, "better now");
  EXPECT_EQ(client.receive()->bytes, response_frame(100, "better now"));
  EXPECT_EQ(counter("upstream_ejected_used_total"), 1U);
}

// A provider that has no thread for a request says so at once, with status 100.
TEST_F(OutboundFaults, KeepsOutAtMostHalfOfTheProviders) {
  std::array<AnsweringProvider, 4> providers;
  start();
  std::vector<governance::ProviderEndpoint> all(providers.size());
  std::ranges::transform(providers, all.begin(), [](const AnsweringProvider& each) {
    return provider_at(each.port(), 100);
  });
  route(all);
  RawPeer client = consumer();
  std::uint64_t id = 0;
  const auto call = [&] {
    client.send(request_frame({.id = ++id}));
    return status_of(client, id);
  };
  const auto call_until_ejected = [&](std::uint64_t count) {
    return eventually([&] {
      call();
      return gauge("upstream_ejected") == count;
    });
  };
  for (const std::size_t i : {0U, 1U}) providers[i].answer_with(Status::kServerThreadpoolExhausted);
  ASSERT_TRUE(call_until_ejected(2));
  std::uint64_t refused = 0;
  const std::uint64_t probes_before = counter("upstream_probes_total");
  for (int i = 0; i < 40; ++i) refused += call() == Status::kOk ? 0 : 1;
  EXPECT_EQ(refused, counter("upstream_probes_total") - probes_before);
  EXPECT_EQ(counter("upstream_ejected_used_total"), 0U);

  providers[2].answer_with(Status::kServerThreadpoolExhausted);
  ASSERT_TRUE(call_until_ejected(3));
  EXPECT_TRUE(eventually([&] {
    call();
    return counter("upstream_ejected_used_total") > 0;
  })) << "more than half fail: all of them get requests";
}

TEST_F(OutboundFaults, ClosesAProviderThatSendsGarbage) {
  start_with_substitute();
  RawPeer client = consumer();
  client.send(request_frame({.id = 1}) + request_frame({.id = 2}));
  RawPeer upstream = provider_.accept();
  const auto first = upstream.receive();
  ASSERT_TRUE(first && upstream.receive());
  upstream.send(response_frame(first->header.request_id, "good") + "HTTP/1.1 400 Bad\r\n\r\n");
  EXPECT_EQ(client.receive()->bytes, response_frame(1, "good"));
  EXPECT_EQ(status_of(client, 2), Status::kServerError);
  EXPECT_EQ(counter("foreign_protocol_total"), 1U);
  EXPECT_EQ(counter("upstream_lost_total"), 1U);
}

TEST_F(OutboundFaults, ReplacesAnswersOverTheLimitWithStatus50) {
  config_.body_limit =
      static_cast<std::uint32_t>(response_frame(1, std::string(3000, 'x')).size() - 16);
  start_with_substitute();
  RawPeer client = consumer();
  client.send(request_frame({.id = 1}) + request_frame({.id = 2}) + request_frame({.id = 3}));
  RawPeer upstream = provider_.accept();
  for (const std::size_t size : {3000U, 3001U, 5U}) {
    const auto request = upstream.receive();
    ASSERT_TRUE(request);
    upstream.send(response_frame(request->header.request_id, std::string(size, 'x')));
  }
  EXPECT_EQ(client.receive()->bytes, response_frame(1, std::string(3000, 'x')));
  const auto replaced = client.receive();
  ASSERT_TRUE(replaced);
  EXPECT_EQ(replaced->header.status, Status::kBadResponse);
  EXPECT_THAT(replaced->body(), HasSubstr("body_limit"));
  EXPECT_EQ(client.receive()->bytes, response_frame(3, "xxxxx"));
  EXPECT_EQ(counter("oversized_frames_total"), 1U);
  EXPECT_EQ(counter("outbound_bad_responses_total"), 1U);
}

TEST_F(OutboundFaults, ClosesAProviderWhoseAnswerIsTooLongToBeSkipped) {
  start_with_substitute();
  RawPeer client = consumer();
  client.send(request_frame({.id = 1}) + request_frame({.id = 2}));
  RawPeer upstream = provider_.accept();
  const auto first = upstream.receive();
  ASSERT_TRUE(first && upstream.receive());
  upstream.send(testing::response_header(first->header.request_id, UINT32_MAX));
  EXPECT_EQ(status_of(client, 1), Status::kBadResponse);
  EXPECT_EQ(status_of(client, 2), Status::kServerError);
  EXPECT_EQ(counter("oversized_frames_total"), 1U);
  EXPECT_EQ(counter("upstream_lost_total"), 1U);
}

// What a provider did not read when it went: requests that had begun to be sent may have reached
// it, those behind them have not.
TEST_F(OutboundFaults, SendsElsewhereWhatWasNotBegunToBeSent) {
  constexpr std::uint64_t kRequests = 400;
  const AnsweringProvider substitute;
  start();
  route({provider_at(provider_.port(), 100), provider_at(substitute.port(), 0)});
  RawPeer client = consumer();
  for (std::uint64_t id = 1; id <= kRequests; ++id) {
    client.send(request_frame({.id = id, .argument = std::string(60'000, 'r')}));
  }
  ASSERT_TRUE(eventually([&] { return gauge("outbound_in_flight") == kRequests; }));
  provider_.accept().reset();
  std::uint64_t lost = 0;
  std::uint64_t answered = 0;
  for (std::uint64_t i = 0; i < kRequests; ++i) {
    const auto answer = client.receive();
    ASSERT_TRUE(answer);
    ++(answer->header.status == Status::kOk ? answered : lost);
  }
  EXPECT_GT(lost, 0U);
  EXPECT_GT(answered, 0U);
  EXPECT_EQ(substitute.requests(), answered);
  EXPECT_EQ(counter("outbound_retries_total"), answered);
  EXPECT_EQ(counter("outbound_provider_unreachable_total"), lost);
}

TEST_F(OutboundFaults, AnswersForAProviderThatResetsInTheMiddleOfAnAnswer) {
  start_with_substitute();
  RawPeer client = consumer();
  client.send(request_frame({.id = 1}));
  RawPeer upstream = provider_.accept();
  const auto request = upstream.receive();
  ASSERT_TRUE(request);
  const std::string answer = response_frame(request->header.request_id, "never whole");
  upstream.send(std::string_view(answer).substr(0, answer.size() - 1));
  upstream.reset();
  EXPECT_EQ(status_of(client, 1), Status::kServerError);
  EXPECT_EQ(counter("upstream_lost_total"), 1U);
}

TEST_F(OutboundFaults, TakesTheFirstOfTwoAnswers) {
  start_with_substitute();
  RawPeer client = consumer();
  client.send(request_frame({.id = 1}));
  RawPeer upstream = provider_.accept();
  const auto request = upstream.receive();
  const std::uint64_t wire_id = request->header.request_id;
  upstream.send(response_frame(wire_id, "first") + response_frame(wire_id, "second"));
  EXPECT_EQ(client.receive()->bytes, response_frame(1, "first"));
  client.send(request_frame({.id = 2}));
  serve_one(upstream, "next");
  EXPECT_EQ(client.receive()->bytes, response_frame(2, "next"));
  EXPECT_EQ(counter("outbound_late_answers_total"), 1U);
}

// Which of them serves again, only a request can find out.
TEST_F(OutboundFaults, TriesEachProviderWhereNoneCouldBeReached) {
  start();
  const std::uint16_t returning = substitute_.port();
  substitute_.close();
  route({provider_at(testing::closed_port(), 100), provider_at(returning, 0)});
  RawPeer client = consumer();
  client.send(request_frame({.id = 1}));
  ASSERT_EQ(status_of(client, 1), Status::kServerError);
  RawListener again(returning);
  client.send(request_frame({.id = 2}));
  RawPeer upstream = again.accept();
  const auto request = upstream.receive();
  ASSERT_TRUE(request);
  upstream.send(response_frame(request->header.request_id, "back"));
  EXPECT_EQ(status_of(client, 2), Status::kOk);
}

TEST_F(OutboundFaults, GoesElsewhereWhenAProviderCannotBeConnectedToInTime) {
  // A full accept queue drops what knocks: as silent as a firewall.
  config_.connect_timeout = std::chrono::milliseconds(50);
  testing::FullListener black_hole;
  start();
  route({provider_at(black_hole.port(), 100), provider_at(substitute_.port(), 0)});
  RawPeer client = consumer();
  client.send(request_frame({.id = 1}));
  RawPeer upstream = substitute_.accept();
  serve_one(upstream, "elsewhere");
  EXPECT_EQ(client.receive()->bytes, response_frame(1, "elsewhere"));
  EXPECT_EQ(counter("outbound_retries_total"), 1U);
  EXPECT_EQ(counter("upstream_connect_failures_total"), 1U);
}

TEST_F(OutboundFaults, TakesNothingForTheConsumersWishThatItAddedForAnotherProvider) {
  config_.connect_timeout = std::chrono::milliseconds(50);
  testing::FullListener black_hole;
  start();
  governance::ProviderEndpoint first = provider_at(black_hole.port(), 100);
  governance::ProviderEndpoint second = provider_at(substitute_.port(), 0);
  first.timeout = std::chrono::milliseconds(7001);
  second.timeout = std::chrono::milliseconds(8002);
  route({first, second});
  RawPeer client = consumer();
  client.send(request_frame({.id = 1, .two_way = false}) + request_frame({.id = 2}));
  RawPeer upstream = substitute_.accept();
  for (const char* request : {"one-way", "two-way"}) {
    const std::string body = upstream.receive()->body();
    EXPECT_TRUE(
        body.ends_with("\x07timeout\x04"
                       "8002Z"))
        << request << ": " << body;
  }
}

TEST_F(OutboundFaults, DrainsNotBeforeAOneWayRequestHasLeft) {
  testing::FullListener black_hole;
  start();
  route({provider_at(black_hole.port(), 100)});
  RawPeer client = consumer();
  client.send(request_frame({.id = 1, .two_way = false}));
  ASSERT_TRUE(eventually([&] { return counter("outbound_one_way_total") == 1; }));
  EXPECT_FALSE(forwarder_->drain(std::chrono::milliseconds(30)));
}

TEST_F(OutboundFaults, SendsALostRequestAgainWhereTheProviderAllowsIt) {
  start_with_retries(1, substitute_.port());
  RawPeer client = consumer();
  client.send(request_frame({.id = 7, .argument = "again"}));
  RawPeer upstream = provider_.accept();
  ASSERT_TRUE(upstream.receive());
  upstream.close();
  RawPeer other = substitute_.accept();
  const auto request = other.receive();
  ASSERT_TRUE(request);
  EXPECT_EQ(request->body(), request_frame({.argument = "again"}).substr(16));
  other.send(response_frame(request->header.request_id, "done"));
  EXPECT_EQ(client.receive()->bytes, response_frame(7, "done"));
  EXPECT_EQ(counter("outbound_retries_of_sent_total"), 1U);
}

TEST_F(OutboundFaults, SendsALostRequestToAnotherProviderWhereNothingIsSaidOfRetries) {
  start_with_retries(std::nullopt, substitute_.port());
  RawPeer client = consumer();
  client.send(request_frame({.id = 7}));
  RawPeer upstream = provider_.accept();
  ASSERT_TRUE(upstream.receive());
  upstream.close();
  RawPeer other = substitute_.accept();
  serve_one(other, "done");
  EXPECT_EQ(client.receive()->bytes, response_frame(7, "done"));
}

TEST_F(OutboundFaults, SendsALostRequestNotToTheSameProviderWhereNothingIsSaidOfRetries) {
  start_with_retries(std::nullopt, testing::closed_port());
  RawPeer client = consumer();
  client.send(request_frame({.id = 7, .attachments = {{"timeout", "200"}}}));
  RawPeer upstream = provider_.accept();
  ASSERT_TRUE(upstream.receive());
  upstream.close();
  EXPECT_EQ(status_of(client, 7), Status::kServerError);
  EXPECT_GE(counter("outbound_waited_total"), 1U) << "for the other one";
  pollfd waiting{.fd = provider_.fd(), .events = POLLIN, .revents = 0};
  EXPECT_EQ(poll(&waiting, 1, 0), 0) << "a second connection";
}

TEST_F(OutboundFaults, SendsALostRequestToNobodyWhereItsConsumerHasGone) {
  start_with_retries(2, substitute_.port());
  RawPeer client = consumer();
  client.send(request_frame({.id = 7}));
  RawPeer upstream = provider_.accept();
  ASSERT_TRUE(upstream.receive());
  client.reset();  // one that closes may still read
  ASSERT_TRUE(eventually([&] { return gauge("outbound_connections") == 0; }));
  upstream.close();
  ASSERT_TRUE(eventually([&] { return counter("outbound_orphaned_answers_total") == 1; }));
  EXPECT_EQ(counter("outbound_retries_of_sent_total"), 0U);
}

TEST_F(OutboundFaults, SendsALostRequestToNobodyWhereItsProviderForbidsIt) {
  start_with_substitute();
  RawPeer client = consumer();
  client.send(request_frame({.id = 7}));
  RawPeer upstream = provider_.accept();
  ASSERT_TRUE(upstream.receive());
  upstream.close();
  EXPECT_EQ(status_of(client, 7), Status::kServerError);
}

TEST_F(OutboundFaults, SendsALostRequestAgainToTheOnlyProvider) {
  start();
  governance::ProviderEndpoint only = provider_at(provider_.port(), 100);
  only.retries = 2;
  route({only});
  RawPeer client = consumer();
  client.send(request_frame({.id = 1}));
  for (int i = 0; i < 2; ++i) {
    RawPeer upstream = provider_.accept();
    ASSERT_TRUE(upstream.receive());
  }
  RawPeer upstream = provider_.accept();
  serve_one(upstream, "third time");
  EXPECT_EQ(client.receive()->bytes, response_frame(1, "third time"));
}

TEST_F(OutboundFaults, SendsALostRequestNotMoreOftenThanTheProviderAllows) {
  start();
  governance::ProviderEndpoint only = provider_at(provider_.port(), 100);
  only.retries = 5;
  only.methods = {{.method = "hi", .timeout = {}, .retries = 1}};
  route({only});
  RawPeer client = consumer();
  client.send(request_frame({.id = 1}));
  for (int i = 0; i < 2; ++i) {
    RawPeer upstream = provider_.accept();
    ASSERT_TRUE(upstream.receive());
  }
  EXPECT_EQ(status_of(client, 1), Status::kServerError);
  EXPECT_EQ(counter("outbound_retries_of_sent_total"), 1U);
}

TEST_F(OutboundFaults, CountsRetriesAcrossProvidersThatCannotBeConnectedTo) {
  start_with_retries(1, testing::closed_port());
  RawPeer client = consumer();
  client.send(request_frame({.id = 1}));
  for (int i = 0; i < 2; ++i) {
    RawPeer upstream = provider_.accept();
    ASSERT_TRUE(upstream.receive());
  }
  EXPECT_EQ(status_of(client, 1), Status::kServerError) << "it was sent once more, as allowed";
}

// Providers that leave the route before they could be connected to.
class LeavingUnconnected : public OutboundFaults {
 protected:
  void start_with_black_hole(std::chrono::milliseconds connect_timeout) {
    config_.connect_timeout = connect_timeout;
    start();
    route({provider_at(black_hole_.port(), 100)});
  }

  testing::FullListener black_hole_;
};

TEST_F(LeavingUnconnected, AnswerOnceWhenTheTimeIsOver) {
  start_with_black_hole(testing::kDeadline);
  RawPeer client = consumer();
  client.send(request_frame({.id = 1, .attachments = {{"timeout", kShortMs}}}));
  ASSERT_TRUE(eventually([&] { return counter("outbound_requests_total") == 1; }));
  route({provider_at(substitute_.port(), 100)});
  EXPECT_EQ(status_of(client, 1), Status::kServerTimeout);
  client.send(request_frame({.id = 2}) + request_frame({.id = 3}));
  RawPeer upstream = substitute_.accept();
  serve_one(upstream, "two");
  serve_one(upstream, "three");
  EXPECT_EQ(client.receive()->bytes, response_frame(2, "two"));
  EXPECT_EQ(client.receive()->bytes, response_frame(3, "three"));
}

TEST_F(LeavingUnconnected, HandTheirOneWayRequestsToOthers) {
  start_with_black_hole(std::chrono::milliseconds(100));
  RawPeer client = consumer();
  client.send(request_frame({.id = 1, .argument = "one-way", .two_way = false}));
  ASSERT_TRUE(eventually([&] { return counter("outbound_one_way_total") == 1; }));
  route({provider_at(substitute_.port(), 100)});
  RawPeer upstream = substitute_.accept();
  const auto request = upstream.receive();
  ASSERT_TRUE(request);
  EXPECT_EQ(request->body(), request_frame({.argument = "one-way"}).substr(16));
}

TEST_F(LeavingUnconnected, GiveHeldRequestsBackTheirId) {
  start_with_black_hole(std::chrono::milliseconds(100));
  RawPeer client = consumer();
  client.send(request_frame({.id = 77}));
  ASSERT_TRUE(eventually([&] { return counter("outbound_requests_total") == 1; }));
  forwarder_->remove_route("a.Service");
  ASSERT_TRUE(eventually([&] { return counter("outbound_held_total") == 1; }));
  route({provider_at(substitute_.port(), 100)});
  RawPeer upstream = substitute_.accept();
  serve_one(upstream, "held");
  EXPECT_EQ(client.receive()->bytes, response_frame(77, "held"));
}

TEST_F(OutboundFaults, LeavesHeartbeatsUnansweredOfAProviderThatReadsNothing) {
  start_with_substitute();
  RawPeer client = consumer();
  client.send(request_frame({.id = 1}));
  RawPeer upstream = provider_.accept();
  serve_one(upstream, "connected");
  ASSERT_TRUE(client.receive());
  std::string many;
  for (int i = 0; i < 50'000; ++i) many += testing::heartbeat_frame(7);
  EXPECT_TRUE(eventually([&] {
    upstream.send(many);
    return counter("replies_left_out_total") > 0;
  }));
  upstream.send(response_frame(0, "an unknown id"));
  EXPECT_TRUE(eventually([&] { return counter("outbound_late_answers_total") == 1; }))
      << "what it sends is read still";
}

}  // namespace
}  // namespace skiff::forwarder
