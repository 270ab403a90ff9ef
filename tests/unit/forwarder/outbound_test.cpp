#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "forwarder/limits.h"
#include "support/forwarder_fixture.h"

namespace skiff::forwarder {
namespace {

using dubbo::Status;
using std::chrono::milliseconds;
using testing::closed_port;
using testing::eventually;
using ::testing::HasSubstr;
using testing::heartbeat_answer;
using testing::heartbeat_frame;
using testing::RawListener;
using testing::RawPeer;
using testing::readonly_frame;
using testing::ReceivedFrame;
using testing::request_frame;
using testing::RequestSpec;
using testing::response_frame;

class Outbound20881 : public testing::ForwarderFixture {
 protected:
  RawPeer consumer() { return RawPeer::connect(forwarder_->outbound_port()); }

  // Starts with one route to provider_, and makes the connection with a first call.
  void start_routed() {
    start();
    route({provider_at(provider_.port())});
  }

  static void expect_error(RawPeer& consumer, std::uint64_t id, Status status,
                           const std::string& text) {
    const auto answer = consumer.receive();
    ASSERT_TRUE(answer) << "no answer";
    EXPECT_EQ(answer->header.request_id, id);
    EXPECT_EQ(answer->header.status, status);
    EXPECT_FALSE(answer->header.is_request);
    EXPECT_THAT(answer->body(), HasSubstr(text));
  }
};

TEST_F(Outbound20881, CarriesARequestAndItsAnswerByteForByteButForTheId) {
  start_routed();
  RawPeer client = consumer();
  const std::string sent = request_frame({.id = 0xfedcba9876543210});
  client.send(sent);
  RawPeer upstream = provider_.accept();
  const auto arrived = upstream.receive();
  ASSERT_TRUE(arrived);
  EXPECT_EQ(arrived->body(), sent.substr(16));
  EXPECT_NE(arrived->header.request_id, 0xfedcba9876543210);
  upstream.send(response_frame(arrived->header.request_id, "hello"));
  EXPECT_EQ(client.receive()->bytes, response_frame(0xfedcba9876543210, "hello"));
}

TEST_F(Outbound20881, CopesWithEverySplitOfTheBytes) {
  start_routed();
  RawPeer client = consumer();
  const std::string frames = request_frame({.id = 1}) + request_frame({.id = 2, .argument = "yy"});
  RawPeer upstream = [&] {
    client.send(frames);
    return provider_.accept();
  }();
  ASSERT_TRUE(upstream.receive() && upstream.receive());
  for (std::size_t split = 1; split < frames.size(); ++split) {
    client.send(std::string_view(frames).substr(0, split));
    client.send(std::string_view(frames).substr(split));
    const auto first = upstream.receive();
    const auto second = upstream.receive();
    ASSERT_TRUE(first && second) << "split at " << split;
    ASSERT_EQ(first->body(), request_frame({.id = 1}).substr(16));
    ASSERT_EQ(second->body(), request_frame({.id = 2, .argument = "yy"}).substr(16));
  }
  for (const char byte : frames) client.send(std::string(1, byte));
  EXPECT_TRUE(upstream.receive() && upstream.receive());
}

TEST_F(Outbound20881, GivesEachConsumerItsOwnAnswersWhateverTheirOrderAndIds) {
  start_routed();
  std::vector<RawPeer> clients;
  clients.reserve(8);
  for (int i = 0; i < 8; ++i) clients.push_back(consumer());
  for (RawPeer& client : clients) {
    client.send(request_frame({.id = 0, .argument = std::to_string(&client - clients.data())}));
  }
  RawPeer upstream = provider_.accept();
  std::vector<ReceivedFrame> requests(clients.size());
  for (ReceivedFrame& request : requests) request = *upstream.receive();
  std::reverse(requests.begin(), requests.end());
  for (const ReceivedFrame& request : requests) {
    const std::string argument(1, request.body()[request.body().find('H') - 1]);
    upstream.send(response_frame(request.header.request_id, "to " + argument));
  }
  for (std::size_t i = 0; i < clients.size(); ++i) {
    EXPECT_EQ(clients[i].receive()->bytes, response_frame(0, "to " + std::to_string(i)));
  }
}

TEST_F(Outbound20881, SendsALargeRequestAndAnswerWhole) {
  start_routed();
  RawPeer client = consumer();
  // Several chunks of 32 KiB would be needed for a longer hessian2 string: many requests in one
  // write are as good.
  std::string burst;
  for (std::uint64_t id = 0; id < 100; ++id) {
    burst += request_frame({.id = id, .argument = std::string(60'000, 'z')});
  }
  std::thread writer([&] { client.send(burst); });
  RawPeer upstream = provider_.accept();
  for (std::uint64_t id = 0; id < 100; ++id) {
    const auto request = upstream.receive();
    ASSERT_TRUE(request);
    ASSERT_EQ(request->body(),
              burst.substr(id * (burst.size() / 100) + 16, request->header.body_size));
    upstream.send(response_frame(request->header.request_id, std::string(50'000, 'a')));
  }
  writer.join();
  for (std::uint64_t id = 0; id < 100; ++id) {
    EXPECT_EQ(client.receive()->bytes, response_frame(id, std::string(50'000, 'a')));
  }
}

TEST_F(Outbound20881, HoldsARequestForAnUnknownServiceUntilItsProvidersAreKnown) {
  config_.hold_time = std::chrono::seconds(10);
  start();
  RawPeer client = consumer();
  client.send(request_frame({.id = 5}));
  ASSERT_TRUE(eventually([&] { return was_asked_for("a.Service"); }));
  route({provider_at(provider_.port())});
  RawPeer upstream = provider_.accept();
  upstream.send(response_frame(upstream.receive()->header.request_id, "late but here"));
  EXPECT_EQ(client.receive()->bytes, response_frame(5, "late but here"));
}

TEST_F(Outbound20881, AnswersWithStatus60WhenTheHoldTimeIsOver) {
  config_.hold_time = milliseconds(50);
  start();
  RawPeer client = consumer();
  client.send(request_frame({.id = 5}));
  expect_error(client, 5, Status::kServiceNotFound, "no provider of a.Service was found");
}

TEST_F(Outbound20881, AnswersWithStatus60AtOnceWhereTheListIsInHandAndDoesNotFit) {
  start();
  route({provider_at(provider_.port())}, "g", "1.0");
  RawPeer client = consumer();
  client.send(request_frame({.id = 6, .version = "2.0"}));
  expect_error(client, 6, Status::kServiceNotFound, "version 1.0 group g");
  route_clusters({});
  client.send(request_frame({.id = 7}));
  expect_error(client, 7, Status::kServiceNotFound, "none");
}

TEST_F(Outbound20881, FindsTheGroupAndVersionARequestAsksFor) {
  RawListener gray;
  start();
  route_clusters(
      {{"", "1.0", {provider_at(provider_.port())}}, {"gray", "1.0", {provider_at(gray.port())}}});
  RawPeer client = consumer();
  client.send(request_frame({.id = 1, .version = "1.0", .attachments = {{"group", "gray"}}}));
  EXPECT_TRUE(gray.accept().receive());
  client.send(request_frame({.id = 2, .version = "1.0"}));
  EXPECT_TRUE(provider_.accept().receive());
}

TEST_F(Outbound20881, NamesTheGroupAndVersionThatAnyHasBecome) {
  start();
  route({provider_at(provider_.port())}, "gray", "1.0");
  RawPeer client = consumer();
  client.send(request_frame({.version = "*", .attachments = {{"group", "*"}}}));
  const std::string body = provider_.accept().receive()->body();
  EXPECT_TRUE(
      body.ends_with("\x05group\x04gray\x07version\x03"
                     "1.0Z"))
      << body;
}

TEST_F(Outbound20881, AddsTokenAndTimeoutThatAThinClientCannotKnow) {
  start();
  auto provider = provider_at(provider_.port());
  provider.token = "secret";
  provider.timeout = milliseconds(7000);
  provider.methods = {{.method = "hi", .timeout = milliseconds(8000), .retries = {}}};
  route({provider});
  RawPeer client = consumer();
  client.send(request_frame({}));
  RawPeer upstream = provider_.accept();
  EXPECT_TRUE(
      upstream.receive()->body().ends_with("H\x05token\x06secret\x07timeout\x04"
                                           "8000Z"));
  client.send(request_frame({.attachments = {{"timeout", "500"}, {"token", "secret"}}}));
  EXPECT_TRUE(upstream.receive()->body().ends_with("\x05token\x06secretZ"));
}

TEST_F(Outbound20881, AnswersWithStatus31WhenTheProviderIsTooSlow) {
  start_routed();
  RawPeer client = consumer();
  client.send(request_frame({.id = 9, .attachments = {{"timeout", "60"}}}));
  RawPeer upstream = provider_.accept();
  const auto request = upstream.receive();
  expect_error(client, 9, Status::kServerTimeout, "within 60 ms");
  // The late answer goes to nobody, and does not disturb the next request in its slot.
  upstream.send(response_frame(request->header.request_id, "too late"));
  client.send(request_frame({.id = 10}));
  const auto next = upstream.receive();
  EXPECT_NE(next->header.request_id, request->header.request_id);
  upstream.send(response_frame(next->header.request_id, "in time"));
  upstream.send(response_frame(next->header.request_id, "twice"));
  EXPECT_EQ(client.receive()->bytes, response_frame(10, "in time"));
  EXPECT_TRUE(eventually([&] { return counter("outbound_late_answers_total") == 2; }));
  EXPECT_EQ(counter("outbound_timeouts_total"), 1U);
}

TEST_F(Outbound20881, TakesTheTimeoutInEveryFormThatClientsNameIt) {
  start_routed();
  RawPeer client = consumer();
  client.send(request_frame({.id = 1, .number_attachments = {{"timeout", 61}}}));
  RawPeer upstream = provider_.accept();
  expect_error(client, 1, Status::kServerTimeout, "within 61 ms");
  client.send(request_frame({.id = 2, .attachments = {{"_TO", "62"}}}));
  expect_error(client, 2, Status::kServerTimeout, "within 62 ms");
  client.send(request_frame({.id = 3, .number_attachments = {{"_TO", 63}}}));
  expect_error(client, 3, Status::kServerTimeout, "within 63 ms");
  client.send(request_frame({.id = 4, .attachments = {{"_TO", "9000"}, {"timeout", "64"}}}));
  expect_error(client, 4, Status::kServerTimeout, "within 64 ms");
  client.send(request_frame(
      {.id = 5, .attachments = {{"timeout", "soon"}}, .number_attachments = {{"_TO", 65}}}));
  expect_error(client, 5, Status::kServerTimeout, "within 65 ms");
}

TEST_F(Outbound20881, DropsAnswersWithUnknownIds) {
  start_routed();
  RawPeer client = consumer();
  client.send(request_frame({.id = 1}));
  RawPeer upstream = provider_.accept();
  const std::uint64_t id = upstream.receive()->header.request_id;
  for (const std::uint64_t wrong : {id + 1, ~id, UINT64_MAX, std::uint64_t{UINT32_MAX}}) {
    upstream.send(response_frame(wrong, "wrong"));
  }
  upstream.send(response_frame(id, "right"));
  EXPECT_EQ(client.receive()->bytes, response_frame(1, "right"));
  EXPECT_EQ(counter("outbound_late_answers_total"), 4U);
}

TEST_F(Outbound20881, DoesNotTakeAnAnswerFromAnotherProviderThanTheOneAsked) {
  RawListener other;
  start();
  route_clusters(
      {{"", "1", {provider_at(provider_.port())}}, {"", "2", {provider_at(other.port())}}});
  RawPeer client = consumer();
  client.send(request_frame({.id = 1, .version = "1"}) + request_frame({.id = 2, .version = "2"}));
  RawPeer asked = provider_.accept();
  RawPeer liar = other.accept();
  const std::uint64_t id = asked.receive()->header.request_id;
  const std::uint64_t lie_id = liar.receive()->header.request_id;
  liar.send(response_frame(id, "a lie") + response_frame(lie_id, "my own"));
  EXPECT_EQ(client.receive()->bytes, response_frame(2, "my own"));
  asked.send(response_frame(id, "the truth"));
  EXPECT_EQ(client.receive()->bytes, response_frame(1, "the truth"));
  EXPECT_EQ(counter("outbound_late_answers_total"), 1U);
}

TEST_F(Outbound20881, AnswersWithStatus80WhenNobodyCanBeReached) {
  start();
  const std::uint16_t nobody = closed_port();
  route({provider_at(nobody)});
  RawPeer client = consumer();
  client.send(request_frame({.id = 3}));
  expect_error(client, 3, Status::kServerError, "127.0.0.1:" + std::to_string(nobody));
  EXPECT_GE(counter("upstream_connect_failures_total"), 1U);
  EXPECT_EQ(counter("outbound_provider_unreachable_total"), 1U);
}

TEST_F(Outbound20881, TriesAnotherProviderWhereOneRefuses) {
  start();
  route({provider_at(closed_port()), provider_at(closed_port()), provider_at(provider_.port())});
  RawPeer client = consumer();
  for (std::uint64_t id = 0; id < 20; ++id) client.send(request_frame({.id = id}));
  RawPeer upstream = provider_.accept();
  for (std::uint64_t id = 0; id < 20; ++id) {
    const auto request = upstream.receive();
    ASSERT_TRUE(request);
    upstream.send(response_frame(request->header.request_id, "ok"));
    const auto answer = client.receive();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->header.status, Status::kOk);
  }
  EXPECT_GT(counter("upstream_connect_failures_total"), 0U);
  EXPECT_GE(counter("outbound_retries_total"), counter("upstream_connect_failures_total"));
  EXPECT_EQ(counter("outbound_errors_total"), 0U);
}

TEST_F(Outbound20881, AnswersWhatWasSentWithStatus80WhenTheConnectionBreaks) {
  start_routed();
  RawPeer client = consumer();
  client.send(request_frame({.id = 1}) + request_frame({.id = 2}));
  RawPeer upstream = provider_.accept();
  ASSERT_TRUE(upstream.receive() && upstream.receive());
  upstream.close();
  expect_error(client, 1, Status::kServerError, "was lost");
  expect_error(client, 2, Status::kServerError, "was lost");
  client.send(request_frame({.id = 3}));  // the provider is back: a new connection
  RawPeer again = provider_.accept();
  again.send(response_frame(again.receive()->header.request_id, "back"));
  EXPECT_EQ(client.receive()->bytes, response_frame(3, "back"));
  EXPECT_EQ(counter("upstream_lost_total"), 1U);
  EXPECT_EQ(counter("outbound_provider_unreachable_total"), 2U);
}

TEST_F(Outbound20881, SendsAOneWayRequestAndDropsAnAnswerToIt) {
  start_routed();
  RawPeer client = consumer();
  client.send(request_frame({.id = 1, .two_way = false}) + request_frame({.id = 2}));
  RawPeer upstream = provider_.accept();
  const auto one_way = upstream.receive();
  EXPECT_FALSE(one_way->header.is_two_way);
  const auto two_way = upstream.receive();
  upstream.send(response_frame(one_way->header.request_id, "not wanted") +
                response_frame(two_way->header.request_id, "wanted"));
  EXPECT_EQ(client.receive()->bytes, response_frame(2, "wanted"));
  EXPECT_EQ(counter("outbound_late_answers_total"), 1U);
}

TEST_F(Outbound20881, AnswersHeartbeatsOfBothSides) {
  start_routed();
  RawPeer client = consumer();
  client.send(heartbeat_frame(77));
  const auto pong = client.receive();
  ASSERT_TRUE(pong);
  EXPECT_TRUE(pong->header.is_event);
  EXPECT_FALSE(pong->header.is_request);
  EXPECT_EQ(pong->header.request_id, 77U);
  EXPECT_EQ(pong->body(), "N");
  client.send(request_frame({}));
  RawPeer upstream = provider_.accept();
  ASSERT_TRUE(upstream.receive());
  upstream.send(heartbeat_frame(78));
  EXPECT_EQ(upstream.receive()->header.request_id, 78U);
}

TEST_F(Outbound20881, AsksASilentProviderAndGivesUpOnADeadOne) {
  config_.heartbeat_interval = milliseconds(20);
  start_routed();
  RawPeer client = consumer();
  client.send(request_frame({.id = 1}));
  RawPeer upstream = provider_.accept();
  ASSERT_TRUE(upstream.receive());
  const auto heartbeat = upstream.receive();
  ASSERT_TRUE(heartbeat);
  EXPECT_TRUE(heartbeat->header.is_event && heartbeat->header.is_two_way);
  expect_error(client, 1, Status::kServerError, "heartbeats");
  EXPECT_EQ(counter("heartbeats_sent_total"), std::uint64_t{limits::kSilentHeartbeatsMax});
  EXPECT_EQ(counter("upstream_lost_total"), 1U);
}

TEST_F(Outbound20881, KeepsAProviderThatAnswersEveryHeartbeat) {
  config_.heartbeat_interval = milliseconds(20);
  start_routed();
  RawPeer client = consumer();
  client.send(request_frame({.id = 1}));
  RawPeer upstream = provider_.accept();
  const auto request = upstream.receive();
  ASSERT_TRUE(request);
  for (int i = 0; i < 4 * limits::kSilentHeartbeatsMax; ++i) {
    const auto heartbeat = upstream.receive();
    ASSERT_TRUE(heartbeat) << "after " << i;
    upstream.send(heartbeat_answer(heartbeat->header.request_id));
  }
  upstream.send(response_frame(request->header.request_id, "late"));
  EXPECT_EQ(client.receive()->bytes, response_frame(1, "late"));
}

TEST_F(Outbound20881, SendsNothingNewToAProviderThatIsLeaving) {
  RawListener other;
  start();
  route({provider_at(provider_.port())});
  RawPeer client = consumer();
  client.send(request_frame({.id = 1}));
  RawPeer leaving = provider_.accept();
  const auto request = leaving.receive();
  leaving.send(readonly_frame());
  route({provider_at(provider_.port()), provider_at(other.port())});
  ASSERT_TRUE(eventually([&] { return counter("upstream_readonly_total") == 1; }));
  for (std::uint64_t id = 2; id < 10; ++id) client.send(request_frame({.id = id}));
  RawPeer staying = other.accept();
  for (std::uint64_t id = 2; id < 10; ++id) ASSERT_TRUE(staying.receive());
  leaving.send(response_frame(request->header.request_id, "last words"));
  EXPECT_EQ(client.receive()->bytes, response_frame(1, "last words"));
}

TEST_F(Outbound20881, UsesALeavingProviderWhereNobodyElseIsThere) {
  start_routed();
  RawPeer client = consumer();
  client.send(request_frame({.id = 1}));
  RawPeer leaving = provider_.accept();
  ASSERT_TRUE(leaving.receive());
  leaving.send(readonly_frame());
  ASSERT_TRUE(eventually([&] { return counter("upstream_readonly_total") == 1; }));
  client.send(request_frame({.id = 2}));
  EXPECT_TRUE(leaving.receive());
}

TEST_F(Outbound20881, LetsAnswersComeWhenTheirProviderIsTakenFromTheRoute) {
  RawListener other;
  start_routed();
  RawPeer client = consumer();
  client.send(request_frame({.id = 1}));
  RawPeer removed = provider_.accept();
  const auto request = removed.receive();
  route({provider_at(other.port())});
  client.send(request_frame({.id = 2}));
  RawPeer successor = other.accept();
  ASSERT_TRUE(successor.receive());
  removed.send(response_frame(request->header.request_id, "finished"));
  EXPECT_EQ(client.receive()->bytes, response_frame(1, "finished"));
  EXPECT_TRUE(removed.sees_end());
}

TEST_F(Outbound20881, UsesSeveralConnectionsToAProviderWhereMuchIsInFlight) {
  start_routed();
  RawPeer first = consumer();
  const std::string large(limits::kBytesPerUpstreamConnection, 'x');
  first.send(request_frame({.id = 1, .argument = large}));
  RawPeer shared = provider_.accept();
  const auto large_request = shared.receive();
  ASSERT_TRUE(large_request);
  RawPeer second = consumer();
  first.send(request_frame({.id = 2}));
  const auto small_request = shared.receive();
  ASSERT_TRUE(small_request) << "a consumer keeps to its connection";
  RawPeer further = provider_.accept();
  ASSERT_TRUE(eventually([&] { return counter("upstream_connects_total") == 2; }));
  second.send(request_frame({.id = 3}));
  const auto others_request = further.receive();
  ASSERT_TRUE(others_request);
  further.send(response_frame(others_request->header.request_id, "further"));
  shared.send(response_frame(small_request->header.request_id, "small"));
  shared.send(response_frame(large_request->header.request_id, "large"));
  EXPECT_EQ(second.receive()->bytes, response_frame(3, "further"));
  EXPECT_EQ(first.receive()->bytes, response_frame(2, "small"));
  EXPECT_EQ(first.receive()->bytes, response_frame(1, "large"));
}

TEST_F(Outbound20881, StaysWithOneConnectionWhereAFurtherOneCannotBeMade) {
  start_routed();
  RawPeer client = consumer();
  client.send(request_frame({.id = 1, .argument = std::string(2'000'000, 'x')}));
  RawPeer upstream = provider_.accept();
  provider_.close();
  const auto large_request = upstream.receive();
  ASSERT_TRUE(large_request);
  client.send(request_frame({.id = 2}));
  const auto small_request = upstream.receive();
  ASSERT_TRUE(small_request);
  ASSERT_TRUE(eventually([&] { return counter("upstream_connect_failures_total") == 1; }));
  EXPECT_EQ(counter("upstream_ejections_total"), 0U) << "the provider is connected";
  client.send(request_frame({.id = 3}));
  EXPECT_TRUE(upstream.receive());
}

TEST_F(Outbound20881, AnswersAnUnreadableBodyWithStatus40) {
  start_routed();
  RawPeer client = consumer();
  std::string frame = request_frame({.id = 4});
  frame[16] = '\x7f';  // a list, where the protocol version should stand
  client.send(frame);
  expect_error(client, 4, Status::kBadRequest, "cannot be read");
  EXPECT_EQ(counter("outbound_bad_requests_total"), 1U);
}

TEST_F(Outbound20881, SendsAnUnknownSerializationWhereOneServiceIsPossible) {
  start_routed();
  RawPeer client = consumer();
  std::string frame = request_frame({.id = 4});
  frame[2] = static_cast<char>(0xc0 | 22);
  client.send(frame);
  RawPeer upstream = provider_.accept();
  ASSERT_TRUE(upstream.receive());
  route_clusters({{"", "", {provider_at(provider_.port())}}, {"", "2", {provider_at(1)}}});
  client.send(frame);
  const auto answer = client.receive();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->header.status, Status::kBadRequest);
  EXPECT_EQ(static_cast<int>(answer->header.serialization), 22);
}

TEST_F(Outbound20881, AnswersWhatItOwesBeforeItClosesOverATooLongRequest) {
  config_.body_limit = 1000;
  start_routed();
  RawPeer client = consumer();
  client.send(request_frame({.id = 7}));
  RawPeer upstream = provider_.accept();
  const auto request = upstream.receive();
  ASSERT_TRUE(request);
  client.send(testing::oversized_request_frame(8, 2'000'000));
  expect_error(client, 8, Status::kBadRequest, "body_limit");
  upstream.send(response_frame(request->header.request_id, "still"));
  EXPECT_EQ(client.receive()->bytes, response_frame(7, "still"));
  EXPECT_TRUE(client.sees_end());
}

TEST_F(Outbound20881, ClosesAConsumerThatLeavesItsLastAnswersUnread) {
  start_routed();
  RawPeer client = consumer();
  client.send(request_frame({.id = 1}));
  RawPeer upstream = provider_.accept();
  const auto request = upstream.receive();
  ASSERT_TRUE(request);
  shutdown(client.fd(), SHUT_WR);
  upstream.send(response_frame(request->header.request_id, std::string(7'900'000, 'x')));
  ASSERT_TRUE(eventually([&] { return counter("outbound_answered_total") == 1; }));
  EXPECT_TRUE(eventually([&] { return gauge("outbound_connections") == 0; }));
}

TEST_F(Outbound20881, StopsReadingFromAConsumerThatDoesNotReadHeartbeats) {
  start_routed();
  RawPeer client = consumer();
  std::string many;
  for (int i = 0; i < 50'000; ++i) many += heartbeat_frame(7);
  std::string_view rest = many;
  const auto flood = [&] {
    const ssize_t sent = send(client.fd(), rest.data(), rest.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent > 0) rest.remove_prefix(static_cast<std::size_t>(sent));
    if (rest.empty()) rest = many;
    return gauge("buffer_bytes");  // the worker has had a turn
  };
  ASSERT_TRUE(eventually([&] { return flood() > limits::kDownstreamHighBytes; }));
  for (int turn = 0; turn < 200; ++turn) {
    ASSERT_LT(flood(), 8 * limits::kDownstreamHighBytes) << "nothing holds the consumer back";
  }
  EXPECT_GT(counter("outbound_consumers_paused_total"), 0U);
}

TEST_F(Outbound20881, StillAnswersAConsumerThatHasClosedItsSendingSide) {
  start_routed();
  RawPeer client = consumer();
  client.send(request_frame({.id = 1}));
  shutdown(client.fd(), SHUT_WR);
  RawPeer upstream = provider_.accept();
  upstream.send(response_frame(upstream.receive()->header.request_id, "here"));
  EXPECT_EQ(client.receive()->bytes, response_frame(1, "here"));
  EXPECT_TRUE(client.sees_end());
}

TEST_F(Outbound20881, DropsTheAnswerOfAConsumerThatHasGone) {
  start_routed();
  RawPeer gone = consumer();
  gone.send(request_frame({.id = 1}));
  RawPeer upstream = provider_.accept();
  const auto request = upstream.receive();
  gone.reset();
  RawPeer client = consumer();
  client.send(request_frame({.id = 1}));
  const auto next = upstream.receive();
  upstream.send(response_frame(request->header.request_id, "for nobody") +
                response_frame(next->header.request_id, "mine"));
  EXPECT_EQ(client.receive()->bytes, response_frame(1, "mine"));
  EXPECT_EQ(counter("outbound_orphaned_answers_total"), 1U);
}

TEST_F(Outbound20881, RefusesCallbacksItCannotDeliver) {
  start_routed();
  RawPeer client = consumer();
  client.send(request_frame({.id = 1}));
  RawPeer upstream = provider_.accept();
  ASSERT_TRUE(upstream.receive());
  upstream.send(request_frame({.id = 123}));
  const auto answer = upstream.receive();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->header.request_id, 123U);
  EXPECT_EQ(answer->header.status, Status::kBadRequest);
  EXPECT_EQ(counter("upstream_callbacks_refused_total"), 1U);
}

TEST_F(Outbound20881, CountsAGenericCallByTheMethodItNames) {
  start_routed();
  RawPeer client = consumer();
  client.send(request_frame({.method = "$invoke", .argument = "realMethod"}));
  RawPeer upstream = provider_.accept();
  upstream.send(response_frame(upstream.receive()->header.request_id, "x"));
  ASSERT_TRUE(client.receive());
  const TrafficSnapshot traffic = forwarder_->snapshot(testing::kDeadline);
  EXPECT_EQ(traffic.methods.at("a.Service").at("realMethod").requests, 1U);
}

TEST_F(Outbound20881, FinishesWhatIsInFlightBeforeItDrains) {
  start_routed();
  RawPeer busy = consumer();
  RawPeer idle = consumer();
  busy.send(request_frame({.id = 1}));
  RawPeer upstream = provider_.accept();
  const auto request = upstream.receive();
  EXPECT_FALSE(forwarder_->drain(milliseconds(30))) << "a request is in flight";
  EXPECT_TRUE(idle.sees_end());
  upstream.send(response_frame(request->header.request_id, "finished"));
  EXPECT_EQ(busy.receive()->bytes, response_frame(1, "finished"));
  EXPECT_TRUE(busy.sees_end());
}

TEST_F(Outbound20881, RefusesToShareItsPortWithAnotherAgent) {
  start();
  ForwarderConfig second = config_;
  second.outbound.port = forwarder_->outbound_port();
  const auto refused = Forwarder::open(second, *this);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("--outbound: cannot listen on 127.0.0.1:"));
}

}  // namespace
}  // namespace skiff::forwarder
