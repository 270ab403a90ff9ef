#pragma once

#include <httplib.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <string>

namespace skiff::agent {

// A connection's socket as the HTTP library wants it, with limits that its own stream has not: on
// the time and the bytes of a whole request, so that a slow or endless client cannot hold a thread.
// Answers leave in one piece. Used by one thread at a time.
class HttpStream final : public httplib::Stream {
 public:
  // Does not own `fd`, which must be non-blocking.
  explicit HttpStream(int fd) : fd_(fd) {}

  // Before each request: what it may take from here on.
  void begin_request(std::chrono::milliseconds time, std::size_t bytes);
  void allow_more(std::size_t bytes) { budget_ += bytes; }
  // Sends what was written. False where the peer does not take it.
  bool flush();
  // Bytes of a next request came already.
  bool has_buffered() const { return taken_ < filled_; }
  // The peer went away or a limit was hit: the connection is of no more use.
  bool failed() const { return failed_; }

  bool is_readable() const override;
  bool is_writable() const override;
  ssize_t read(char* to, size_t size) override;
  ssize_t write(const char* from, size_t size) override;
  void get_remote_ip_and_port(std::string& ip, int& port) const override;
  void get_local_ip_and_port(std::string& ip, int& port) const override;
  socket_t socket() const override { return fd_; }

 private:
  using Clock = std::chrono::steady_clock;

  bool wait_for(short events) const;
  bool fill();

  int fd_;
  Clock::time_point deadline_;
  std::size_t budget_ = 0;  // bytes that may still be read
  bool failed_ = false;
  std::array<char, 16384> buffer_{};
  std::size_t taken_ = 0;  // buffer_[taken_, filled_) waits to be read
  std::size_t filled_ = 0;
  std::string out_;
};

}  // namespace skiff::agent
