#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <string>
#include <thread>

#include "dubbo/frame.h"
#include "forwarder/socket.h"

namespace skiff::forwarder::testing {

// A provider on a thread and a free port of its own, which answers every two-way request and every
// heartbeat at once, with the same value, on any number of connections. A peer that does not take
// its answers holds up nobody else.
class AnsweringProvider {
 public:
  explicit AnsweringProvider(const std::string& value = "answer");
  ~AnsweringProvider();
  AnsweringProvider(const AnsweringProvider&) = delete;
  AnsweringProvider& operator=(const AnsweringProvider&) = delete;

  std::uint16_t port() const { return port_; }
  // Of the answers from now on.
  void answer_with(dubbo::Status status) { status_ = status; }
  // Requests that have come, one-way ones included.
  std::uint64_t requests() const { return requests_; }

 private:
  struct Connection {
    Fd fd;
    std::string input;
    std::string output;
    std::size_t sent = 0;  // of it
  };

  void serve();
  void accept_all();
  // False where the connection is over.
  bool handle(Connection& connection);
  // Answers what has come whole; false where there was more than should be answered at a time.
  bool answer(Connection& connection);
  std::string answer_to(const dubbo::FrameHeader& request) const;
  bool flush(Connection& connection);

  std::string answer_;  // a frame; its id and status are written for each request
  std::atomic<dubbo::Status> status_{dubbo::Status::kOk};
  std::atomic<std::uint64_t> requests_{0};
  Fd listener_;
  std::uint16_t port_;
  Fd epoll_;
  Fd end_;  // readable when the thread is to end
  std::map<int, Connection> connections_;
  std::thread thread_;
};

}  // namespace skiff::forwarder::testing
