#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "dubbo/result.h"
#include "tests/bench/frame_stream.h"
#include "tests/bench/poller.h"

namespace skiff::bench {

// A Dubbo provider that does nothing: every two-way request gets the same answer, heartbeats
// theirs. All answers to what one read brought leave with one system call.
class EchoProvider {
 public:
  // The value of every answer is a string of `answer_bytes`.
  static Result<std::unique_ptr<EchoProvider>> create(std::size_t answer_bytes);

  ~EchoProvider();

  // Listens on a numeric address; port 0 takes a free one. Returns the port.
  Result<std::uint16_t> listen(const std::string& host, std::uint16_t port);
  [[noreturn]] void run();

 private:
  class Listener;
  class Connection;

  EchoProvider(Poller poller, std::string answer);
  void accept_all(int listener);

  // A connection with more answers than this in its queue is not read from until they have gone.
  static constexpr std::size_t kWaitingAnswersMax = 4096;

  Poller poller_;
  std::string answer_;
  std::vector<std::unique_ptr<Listener>> listeners_;
  std::vector<std::unique_ptr<Connection>> connections_;
  bool some_closed_ = false;
};

}  // namespace skiff::bench
