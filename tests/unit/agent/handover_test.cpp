// What an agent and its successor say to each other; here both ends are in one process.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "agent/handover_channel.h"
#include "agent/handover_state.h"

namespace skiff::agent {
namespace {

using forwarder::CarriedConnections;
using forwarder::CarriedConsumer;
using forwarder::CarriedInbound;
using forwarder::Fd;
using ::testing::HasSubstr;
using namespace std::chrono_literals;

constexpr auto kLimit = 5s;
constexpr auto kShort = 20ms;

Fd some_descriptor() { return Fd(open("/dev/null", O_RDONLY | O_CLOEXEC)); }

std::vector<std::byte> bytes(std::string_view text) {
  const auto* first = reinterpret_cast<const std::byte*>(text.data());
  return {first, first + text.size()};
}

class HandoverChannelTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto ends = HandoverChannel::pair();
    ASSERT_TRUE(ends);
    here_.emplace(std::move(ends->first));
    there_.emplace(std::move(ends->second));
  }
  std::string why_nothing_comes(const std::string& type) {
    const auto message = here_->receive(type, kShort);
    return message ? "it came" : message.error().message;
  }

  std::optional<HandoverChannel> here_;
  std::optional<HandoverChannel> there_;
};

TEST_F(HandoverChannelTest, MessagesComeWithTheirDescriptors) {
  const Fd fd = some_descriptor();
  ASSERT_TRUE(there_->send({{"type", "state"}, {"folder", "/x"}}, {fd.get()}, kLimit));
  const auto message = here_->receive("state", kLimit);
  ASSERT_TRUE(message) << message.error().message;
  EXPECT_EQ(message->content.at("folder"), "/x");
  ASSERT_EQ(message->descriptors.size(), 1U);
  EXPECT_NE(message->descriptors.front().get(), fd.get());
  EXPECT_NE(fcntl(message->descriptors.front().get(), F_GETFD) & FD_CLOEXEC, 0);
}

TEST_F(HandoverChannelTest, ManyDescriptorsComeInOrder) {
  const Fd fd = some_descriptor();
  const std::vector<int> many(2 * HandoverChannel::kMaxDescriptors + 1, fd.get());
  ASSERT_TRUE(there_->send_descriptors(many, kLimit));
  const auto came = here_->receive_descriptors(many.size(), kLimit);
  ASSERT_TRUE(came) << came.error().message;
  EXPECT_EQ(came->size(), many.size());
}

TEST_F(HandoverChannelTest, WhoSaysNothingIsNotWaitedForForever) {
  EXPECT_THAT(why_nothing_comes("hello"), HasSubstr("does not answer within 20 ms"));
}

TEST_F(HandoverChannelTest, WhoHasGoneIsNotWaitedFor) {
  there_.reset();
  const auto message = here_->receive("hello", kLimit);
  ASSERT_FALSE(message);
  EXPECT_EQ(message.error().code, ErrorCode::kUnavailable);
}

TEST_F(HandoverChannelTest, AFailureOfTheOtherSideIsToldInItsOwnWords) {
  ASSERT_TRUE(there_->send({{"type", "failed"}, {"reason", "the disk is full"}}, {}, kLimit));
  EXPECT_EQ(why_nothing_comes("prepared"), "the disk is full");
}

TEST_F(HandoverChannelTest, WhatWasNotExpectedIsRefused) {
  ASSERT_TRUE(there_->send({{"type", "taken"}}, {}, kLimit));
  EXPECT_THAT(why_nothing_comes("prepared"), HasSubstr("taken"));
  for (const std::string_view text :
       {"no JSON", "[]", "{}", R"({"type":7})", R"({"type":"failed"})"}) {
    ASSERT_EQ(send(there_->fd(), text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
    EXPECT_NE(why_nothing_comes("prepared"), "it came") << text;
  }
}

TEST_F(HandoverChannelTest, OneOfSeveralMayCome) {
  for (const char* type : {"connections", "go"}) {
    ASSERT_TRUE(there_->send({{"type", type}}, {}, kLimit));
    const auto message = here_->receive_one_of({"connections", "go"}, kLimit);
    ASSERT_TRUE(message) << message.error().message;
    EXPECT_EQ(message->content.at("type"), type);
  }
  ASSERT_TRUE(there_->send({{"type", "welcome"}}, {}, kLimit));
  EXPECT_FALSE(here_->receive_one_of({"connections", "go"}, kLimit));
}

TEST_F(HandoverChannelTest, WaitingEndsWhereThisSideIsToEnd) {
  here_->while_waiting([] { return false; });
  EXPECT_THAT(why_nothing_comes("hello"), HasSubstr("asked to stop"));
}

CarriedConnections connections() {
  CarriedConnections all;
  all.stopped_at += 7s;
  CarriedConsumer consumer;
  consumer.socket = {.fd = some_descriptor(),
                     .unread = bytes("half a fr"),
                     .skipped_left = 7,
                     .unwritten = bytes("answer"),
                     .half_sent = 3};
  consumer.answers.push_back({.socket = {.fd = some_descriptor()}, .owed = 2});
  all.consumers.push_back(std::move(consumer));
  CarriedInbound inbound;
  inbound.socket = {.fd = some_descriptor()};
  inbound.links.push_back(
      {.socket = {.fd = some_descriptor(), .is_connecting = true}, .port = 20880});
  inbound.pending = {
      {.id = 1, .port = 20880, .serialization = dubbo::Serialization::kHessian2, .since_s = 9}};
  inbound.used_ports = {20880};
  all.inbound.push_back(std::move(inbound));
  return all;
}

TEST(HandoverState, ConnectionsAreReadAsTheyWereWritten) {
  HandoverState state = to_handover_state(connections());
  ASSERT_EQ(state.descriptors.size(), 4U);
  const int consumer = state.descriptors[0].get();
  const auto read = from_handover_state(state.text, std::move(state.descriptors));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->stopped_at.time_since_epoch(), 7s);
  ASSERT_EQ(read->consumers.size(), 1U);
  const auto& socket = read->consumers[0].socket;
  EXPECT_EQ(socket.fd.get(), consumer);
  EXPECT_EQ(socket.unread, bytes("half a fr"));
  EXPECT_EQ(socket.skipped_left, 7U);
  EXPECT_EQ(socket.unwritten, bytes("answer"));
  EXPECT_EQ(socket.half_sent, 3U);
  ASSERT_EQ(read->consumers[0].answers.size(), 1U);
  EXPECT_EQ(read->consumers[0].answers[0].owed, 2U);
  ASSERT_EQ(read->inbound.size(), 1U);
  const auto& inbound = read->inbound[0];
  ASSERT_EQ(inbound.links.size(), 1U);
  EXPECT_TRUE(inbound.links[0].socket.is_connecting);
  EXPECT_EQ(inbound.links[0].port, 20880);
  ASSERT_EQ(inbound.pending.size(), 1U);
  EXPECT_EQ(inbound.pending[0].id, 1U);
  EXPECT_EQ(inbound.pending[0].since_s, 9U);
  EXPECT_EQ(inbound.used_ports, std::vector<std::uint16_t>{20880});
}

TEST(HandoverState, WhatIsNewerThanThisProgramIsPassedOver) {
  HandoverState state = to_handover_state(connections());
  nlohmann::json all = nlohmann::json::from_cbor(state.text);
  all["news"] = 1;
  all["consumers"][0]["socket"]["news"] = "more";
  std::string text;
  nlohmann::json::to_cbor(all, text);
  EXPECT_TRUE(from_handover_state(text, std::move(state.descriptors)));
}

TEST(HandoverState, WhatIsNotWholeIsRefused) {
  for (std::size_t cut = 0;; ++cut) {
    HandoverState state = to_handover_state(connections());
    if (cut == state.text.size()) break;
    const auto read = from_handover_state(std::string_view(state.text).substr(0, cut),
                                          std::move(state.descriptors));
    ASSERT_FALSE(read) << cut;
    EXPECT_EQ(read.error().code, ErrorCode::kMalformed);
  }
}

TEST(HandoverState, OtherDescriptorsThanItMentionsAreRefused) {
  HandoverState fewer = to_handover_state(connections());
  fewer.descriptors.pop_back();
  EXPECT_FALSE(from_handover_state(fewer.text, std::move(fewer.descriptors)));
  HandoverState more = to_handover_state(connections());
  more.descriptors.push_back(some_descriptor());
  EXPECT_FALSE(from_handover_state(more.text, std::move(more.descriptors)));
}

}  // namespace
}  // namespace skiff::agent
