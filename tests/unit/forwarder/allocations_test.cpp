// The data path's promise, measured on a running forwarder: a worker that is warm allocates nothing
// for small requests. A program of its own, since it replaces the global operators new and delete.

#include <gtest/gtest.h>
#include <poll.h>

#include <condition_variable>
#include <mutex>
#include <ostream>
#include <string>
#include <vector>

#include "support/forwarder_fixture.h"
#include "tests/unit/support/allocation_counter.h"

namespace skiff::forwarder {
namespace {

using testing::eventually;
using testing::RawListener;
using testing::RawPeer;
using testing::request_frame;
using testing::response_frame;

template <typename Action>
std::size_t allocations_during(Action action) {
  const AllocationCounter counter("skiff-worker");
  action();
  return counter.count();
}

struct Shape {
  std::string name;
  bool is_outbound;
  std::size_t connections;
  std::size_t in_flight;  // on each of them
  std::size_t frame_bytes;
  std::size_t providers = 1;
  bool two_way = true;
};
std::ostream& operator<<(std::ostream& out, const Shape& shape) { return out << shape.name; }

// Providers without threads: the test says when they read and when they answer.
class Providers {
 public:
  explicit Providers(std::size_t count) : listeners_(count) {}

  const std::vector<RawListener>& listeners() const { return listeners_; }

  // Takes so many requests; false where they do not come in time.
  bool take(std::size_t count, const std::string& answer) {
    while (count > 0) {
      if (!wait_for_input()) return false;
      for (Peer& peer : peers_) {
        while (count > 0 && peer.socket.has_input()) {
          const auto request = peer.socket.receive();
          if (!request) return false;
          --count;
          if (!request->header.is_two_way) continue;
          peer.answers += answer;
          dubbo::write_request_id(reinterpret_cast<std::byte*>(peer.answers.data() +
                                                               peer.answers.size() - answer.size()),
                                  request->header.request_id);
        }
      }
    }
    return true;
  }
  void answer() {
    for (Peer& peer : peers_) peer.socket.send(std::exchange(peer.answers, {}));
  }

 private:
  struct Peer {
    RawPeer socket;
    std::string answers;
  };

  bool wait_for_input() {
    for (Peer& peer : peers_) {
      if (peer.socket.has_input()) return true;
    }
    std::vector<pollfd> all;
    for (const RawListener& listener : listeners_) all.push_back({listener.fd(), POLLIN, 0});
    for (const Peer& peer : peers_) all.push_back({peer.socket.fd(), POLLIN, 0});
    const auto limit = std::chrono::milliseconds(testing::kDeadline).count();
    if (poll(all.data(), all.size(), static_cast<int>(limit)) <= 0) return false;
    for (std::size_t i = 0; i < listeners_.size(); ++i) {
      if (all[i].revents != 0) peers_.push_back({listeners_[i].accept(), {}});
    }
    return true;
  }

  std::vector<RawListener> listeners_;
  std::vector<Peer> peers_;
};

class Allocations : public testing::ForwarderFixture, public ::testing::WithParamInterface<Shape> {
 protected:
  // More connections than are measured take part in warming up: a frame may be cut by a read, which
  // needs a buffer that none of the rounds before happened to need.
  static constexpr std::size_t kSpareConnections = 8;
  static constexpr std::size_t kWarmUpRounds = 60;
  static constexpr std::size_t kRequests = 3000;
  static constexpr std::chrono::milliseconds kHoldTime{20};

  Allocations() : shape_(GetParam()), providers_(shape_.providers) {
    config_.hold_time = kHoldTime;
    config_.provider_port = providers_.listeners().front().port();
  }

  void start_warm() {
    start();
    publish();
    control_.connect_to(forwarder_->outbound_port());
    const std::uint16_t port =
        shape_.is_outbound ? forwarder_->outbound_port() : forwarder_->inbound_port();
    while (consumers_.size() < shape_.connections + kSpareConnections) {
      consumers_.push_back(RawPeer::connect(port));
    }
    for (std::size_t i = 0; i < kWarmUpRounds; ++i) {
      ASSERT_TRUE(round(consumers_.size(), true));
      ASSERT_TRUE(round(shape_.connections, true));
      ASSERT_TRUE(round(shape_.connections, false));
    }
    ASSERT_TRUE(eventually([&] { return gauge("outbound_held") == 0; }));
    ASSERT_TRUE(round(shape_.connections, false));
  }

  // One request after another on each connection, and the answers. With `at_once` the worker sees
  // all requests in one turn of its loop, and all answers.
  bool round(std::size_t connections, bool at_once) {
    if (at_once) hold_worker();
    for (std::size_t i = 0; i < connections; ++i) consumers_[i].send(requests_of(i));
    if (at_once) let_worker_go();
    if (!providers_.take(connections * shape_.in_flight, answer_)) return false;
    if (!shape_.two_way) return true;
    if (at_once) hold_worker();
    providers_.answer();
    if (at_once) let_worker_go();
    for (std::size_t i = 0; i < connections; ++i) {
      for (std::size_t n = 0; n < shape_.in_flight; ++n) {
        if (!consumers_[i].receive()) return false;
      }
    }
    return true;
  }

  Shape shape_;

 private:
  void publish() {
    if (shape_.is_outbound) {
      std::vector<governance::ProviderEndpoint> all;
      for (const RawListener& each : providers_.listeners()) {
        all.push_back(provider_at(each.port()));
      }
      route(all);
    } else if (shape_.providers > 1) {
      std::vector<LocalServicePort> services;
      for (std::size_t i = 0; i < shape_.providers; ++i) {
        services.push_back({{service(i), "", ""}, providers_.listeners()[i].port()});
      }
      forwarder_->update_local_services(services);
    }
  }

  // Behind the inbound port each provider serves something else.
  static std::string service(std::size_t provider) {
    return std::string(1, static_cast<char>('a' + provider)) + ".Service";
  }

  std::string requests_of(std::size_t consumer) const {
    std::string frames;
    for (std::uint64_t id = 0; id < shape_.in_flight; ++id) {
      const std::size_t provider = shape_.is_outbound ? 0 : (consumer + id) % shape_.providers;
      frames += request_frame(
          {.id = id, .interface = service(provider), .argument = text_, .two_way = shape_.two_way});
    }
    return frames;
  }

  // The forwarder asks for an unknown service on its worker's thread, and waits for this.
  void need_service(const std::string& /*interface*/) override {
    std::unique_lock lock(mutex_);
    is_held_ = true;
    changed_.notify_all();
    changed_.wait_for(lock, testing::kDeadline, [&] { return !is_held_; });
  }
  void hold_worker() {
    control_.send(
        request_frame({.interface = "hold.H" + std::to_string(++holds_), .two_way = false}));
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, testing::kDeadline, [&] { return is_held_; });
  }
  void let_worker_go() {
    const std::lock_guard lock(mutex_);
    is_held_ = false;
    changed_.notify_all();
  }

  std::string text_ = std::string(shape_.frame_bytes - request_frame({}).size() - 2, 't');
  std::string answer_ = response_frame(0, text_);
  Providers providers_;
  std::vector<RawPeer> consumers_;
  RawPeer control_ = RawPeer::unconnected();
  int holds_ = 0;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_held_ = false;  // guarded by mutex_
};

TEST_P(Allocations, AreNoneOnceTheWorkerIsWarm) {
  start_warm();
  EXPECT_EQ(allocations_during([&] {
              for (std::size_t sent = 0; sent < kRequests;) {
                ASSERT_TRUE(round(shape_.connections, false));
                sent += shape_.connections * shape_.in_flight;
              }
            }),
            0U);
  EXPECT_GT(allocations_during([&] { forwarder_->snapshot(testing::kDeadline); }), 0U)
      << "they are not counted at all";
}

std::vector<Shape> shapes() {
  std::vector<Shape> all;
  for (const bool is_outbound : {true, false}) {
    for (const std::size_t bytes : {128U, 4000U}) {
      const std::string suffix =
          (is_outbound ? "_outbound_" : "_inbound_") + std::to_string(bytes) + "_bytes";
      all.push_back({"lone" + suffix, is_outbound, 1, 1, bytes});
      all.push_back({"pipelined" + suffix, is_outbound, 1, 32, bytes});
      all.push_back({"64_connections" + suffix, is_outbound, 64, 1, bytes});
      all.push_back({"3_providers" + suffix, is_outbound, 8, 1, bytes, 3});
      all.push_back({"one_way" + suffix, is_outbound, 1, 32, bytes, 1, false});
    }
  }
  return all;
}

INSTANTIATE_TEST_SUITE_P(Shapes, Allocations, ::testing::ValuesIn(shapes()),
                         [](const auto& shape) { return shape.param.name; });

}  // namespace
}  // namespace skiff::forwarder
