#include "agent/http_stream.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace skiff::agent {
namespace {

constexpr std::chrono::seconds kWriteTime{10};
constexpr std::size_t kFlushBytes = std::size_t{256} << 10;

bool is_passing(int error) { return error == EINTR || error == EAGAIN || error == EWOULDBLOCK; }

}  // namespace

void HttpStream::begin_request(std::chrono::milliseconds time, std::size_t bytes) {
  deadline_ = Clock::now() + time;
  budget_ = bytes;
}

bool HttpStream::wait_for(short events) const {
  while (true) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline_ - Clock::now()).count();
    if (left <= 0) return false;
    pollfd entry{.fd = fd_, .events = events, .revents = 0};
    const int ready = poll(&entry, 1, static_cast<int>(left));
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) return false;
  }
}

bool HttpStream::is_readable() const { return has_buffered() || wait_for(POLLIN); }
bool HttpStream::is_writable() const { return wait_for(POLLOUT); }

bool HttpStream::fill() {
  while (wait_for(POLLIN)) {
    const ssize_t got = recv(fd_, buffer_.data(), buffer_.size(), 0);
    if (got > 0) {
      taken_ = 0;
      filled_ = static_cast<std::size_t>(got);
      return true;
    }
    if (got == 0 || !is_passing(errno)) return false;
  }
  return false;
}

ssize_t HttpStream::read(char* to, size_t size) {
  // "100 Continue" must be out before the body can come.
  if (!flush() || budget_ == 0 || (!has_buffered() && !fill())) {
    failed_ = true;
    return -1;
  }
  const std::size_t count = std::min({size, budget_, filled_ - taken_});
  std::memcpy(to, buffer_.data() + taken_, count);
  taken_ += count;
  budget_ -= count;
  return static_cast<ssize_t>(count);
}

ssize_t HttpStream::write(const char* from, size_t size) {
  out_.append(from, size);
  if (out_.size() >= kFlushBytes && !flush()) return -1;
  return static_cast<ssize_t>(size);
}

bool HttpStream::flush() {
  if (out_.empty()) return true;
  const auto read_deadline = deadline_;
  deadline_ = Clock::now() + kWriteTime;
  std::size_t sent = 0;
  while (sent < out_.size()) {
    const ssize_t count = send(fd_, out_.data() + sent, out_.size() - sent, MSG_NOSIGNAL);
    if (count >= 0) {
      sent += static_cast<std::size_t>(count);
    } else if (!is_passing(errno) || !wait_for(POLLOUT)) {
      failed_ = true;
      break;
    }
  }
  out_.clear();
  deadline_ = read_deadline;
  return !failed_;
}

// Nothing of ours asks for these; the library puts them into pseudo headers.
void HttpStream::get_remote_ip_and_port(std::string& ip, int& port) const {
  ip.clear();
  port = 0;
}
void HttpStream::get_local_ip_and_port(std::string& ip, int& port) const {
  ip.clear();
  port = 0;
}

}  // namespace skiff::agent
