#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "registry/provider_checker.h"
#include "registry/socket_address.h"

namespace skiff::registry {

// The checks of one target, one after another. A dubbo check keeps its connection for the next one;
// while nothing is asked, the provider's own heartbeats are answered on it. Lives on the checker's
// thread.
class ProviderCheck {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  // Sockets are registered with `epoll`, with a pointer to this.
  ProviderCheck(const CheckTarget& target, const SocketAddress& address, int epoll, TimePoint now);
  ~ProviderCheck() { disconnect(); }
  ProviderCheck(const ProviderCheck&) = delete;
  ProviderCheck& operator=(const ProviderCheck&) = delete;

  // When on_time() is to be called: the next check, or the end of the running one.
  TimePoint due() const { return is_running_ ? deadline_ : next_; }
  void on_time(TimePoint now);
  void on_events(std::uint32_t events, TimePoint now);
  // The next check is made now, unless one is running.
  void hurry(TimePoint now) { next_ = now; }

  // Of a check that has ended since the last call.
  std::optional<CheckResult> take_result();

 private:
  void begin(TimePoint now);
  void connect(TimePoint now);
  void on_connected(TimePoint now);
  void ask(TimePoint now);
  void read(TimePoint now);
  // Takes whole frames off the input; false where the connection was closed over one of them.
  bool take_frames(TimePoint now);
  void on_connect_error(int error, TimePoint now);
  void on_lost(const std::string& why, TimePoint now);
  void end(CheckResult::Outcome outcome, std::string error, TimePoint now);
  void pass(TimePoint now) { end(CheckResult::Outcome::kPassed, {}, now); }
  // Closes the connection: an answer that comes later must not count for the next check.
  void fail(const std::string& error, TimePoint now);
  bool is_connected_to_itself() const;
  void disconnect();

  const CheckTarget target_;
  const SocketAddress address_;
  const int epoll_;
  int fd_ = -1;
  bool is_connecting_ = false;
  bool is_running_ = false;
  TimePoint began_;
  TimePoint deadline_;
  TimePoint next_;
  std::vector<std::byte> input_;          // the beginning of a frame
  std::size_t received_since_begin_ = 0;  // bytes
  std::optional<CheckResult> result_;
};

}  // namespace skiff::registry
