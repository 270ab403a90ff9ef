// Consumers' connections that a store keeps: what it is told of them, and how they end.
#include "forwarder/connection_store.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "forwarder/stream_position.h"
#include "support/answering_provider.h"
#include "support/forwarder_fixture.h"

namespace skiff::forwarder {
namespace {

using testing::AnsweringProvider;
using testing::eventually;
using testing::RawPeer;
using testing::request_frame;

constexpr std::chrono::seconds kLimit{5};

// Has duplicates, as systemd does.
class FakeStore final : public ConnectionStore {
 public:
  StreamMark* keep(int fd) override {
    const std::lock_guard lock(mutex_);
    if (next_ == marks_.size()) return nullptr;
    duplicates_.emplace_back(dup(fd));
    return &marks_[next_++];
  }
  void forget(StreamMark& /*mark*/) override { ++forgotten; }
  void leave(StreamMark& /*mark*/) override { ++left; }

  bool is_within_frame(std::size_t connection) { return marks_.at(connection).is_within_frame; }
  // As the next process sees it.
  bool is_at_boundary(std::size_t connection) {
    const std::lock_guard lock(mutex_);
    const auto written = written_position(duplicates_.at(connection).get());
    return written && marks_.at(connection).is_at_boundary(*written);
  }
  const StreamMark& mark(std::size_t connection) const { return marks_.at(connection); }
  std::size_t kept() {
    const std::lock_guard lock(mutex_);
    return next_;
  }
  std::vector<Fd> take_duplicates() {
    const std::lock_guard lock(mutex_);
    return std::exchange(duplicates_, {});
  }

  std::atomic<int> forgotten{0};
  std::atomic<int> left{0};

 private:
  std::mutex mutex_;
  std::array<StreamMark, 2> marks_;
  std::size_t next_ = 0;
  std::vector<Fd> duplicates_;
};

class ConnectionStoreTest : public testing::ForwarderFixture {
 protected:
  ConnectionStoreTest() {
    config_.connection_store = &store_;
    start();
    route({provider_at(answering_.port())});
  }
  ~ConnectionStoreTest() override { forwarder_.reset(); }
  RawPeer consumer() { return RawPeer::connect(forwarder_->outbound_port()); }

  FakeStore store_;
  AnsweringProvider answering_;
};

TEST_F(ConnectionStoreTest, MarksWhatIsReadInPart) {
  RawPeer client = consumer();
  const std::string frame = request_frame({.id = 1});
  client.send(frame.substr(0, 20));
  EXPECT_TRUE(eventually([&] { return store_.kept() == 1 && store_.is_within_frame(0); }));
  client.send(frame.substr(20));
  EXPECT_EQ(client.receive()->header.request_id, 1U);
  EXPECT_TRUE(eventually([&] { return !store_.is_within_frame(0); }));
}

TEST_F(ConnectionStoreTest, MarksWhatIsWrittenInPart) {
  AnsweringProvider verbose(std::string(6 << 20, 'x'));
  route({provider_at(verbose.port())});
  RawPeer client = consumer();
  client.send(request_frame({.id = 1}));
  EXPECT_TRUE(eventually([&] { return store_.kept() == 1 && store_.is_within_frame(0); }));
  EXPECT_FALSE(store_.is_at_boundary(0));
  EXPECT_TRUE(client.receive());
  EXPECT_TRUE(eventually([&] { return store_.is_at_boundary(0); }));
}

// Also by a process that is killed before it has seen how much was taken.
TEST_F(ConnectionStoreTest, NotesWhereAWriteBeginsAndEnds) {
  RawPeer client = consumer();
  for (std::uint64_t id = 1; id <= 3; ++id) {
    client.send(request_frame({.id = id}));
    EXPECT_EQ(client.receive()->header.request_id, id);
    EXPECT_TRUE(store_.is_at_boundary(0));
  }
  const auto written = written_position(store_.take_duplicates().front().get());
  ASSERT_TRUE(written);
  EXPECT_TRUE(store_.mark(0).is_at_boundary(*written));
  EXPECT_FALSE(store_.mark(0).is_at_boundary(*written - 1));
  EXPECT_FALSE(store_.mark(0).is_at_boundary(*written + 1));
}

// Closing alone would leave it open, and tell of it for ever.
TEST_F(ConnectionStoreTest, WhatItKeepsIsShutDownAtItsEnd) {
  RawPeer client = consumer();
  client.send("what is this?");
  EXPECT_TRUE(client.sees_end());
  EXPECT_TRUE(eventually([&] { return store_.forgotten == 1; }));
  RawPeer next = consumer();
  next.send(request_frame({.id = 2}));
  EXPECT_EQ(next.receive()->header.request_id, 2U);
}

TEST_F(ConnectionStoreTest, WithoutRoomThereAConnectionIsServedAllTheSame) {
  std::vector<RawPeer> clients;
  for (std::uint64_t id = 1; id <= 3; ++id) {
    clients.push_back(consumer());
    clients.back().send(request_frame({.id = id}));
    EXPECT_EQ(clients.back().receive()->header.request_id, id);
  }
  EXPECT_EQ(store_.kept(), 2U);
}

// As two processes do it, one after the other.
TEST_F(ConnectionStoreTest, AtTheEndConnectionsAreLeftThere) {
  RawPeer client = consumer();
  client.send(request_frame({.id = 1}));
  EXPECT_EQ(client.receive()->header.request_id, 1U);
  EXPECT_TRUE(forwarder_->drain(kLimit));
  EXPECT_EQ(store_.left, 1);
  client.send(request_frame({.id = 2}));

  open();
  forwarder_->start();
  route({provider_at(answering_.port())});
  CarriedConnections kept;
  for (Fd& fd : store_.take_duplicates())
    kept.consumers.push_back({.socket = {.fd = std::move(fd)}});
  forwarder_->adopt(std::move(kept));
  forwarder_->serve();
  EXPECT_EQ(client.receive()->header.request_id, 2U);
}

}  // namespace
}  // namespace skiff::forwarder
