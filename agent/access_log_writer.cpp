#include "agent/access_log_writer.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>

namespace skiff::agent {
namespace {

using namespace std::chrono_literals;

constexpr auto kPause = 20ms;       // between two looks at the rings
constexpr auto kIdlePause = 100ms;  // after a second without lines
constexpr auto kLookAtFile = 1s;
constexpr int kPatienceMs = 100;  // at the end, with a target that takes nothing

std::uint64_t count_lines(std::string_view text) {
  return static_cast<std::uint64_t>(std::ranges::count(text, '\n'));
}

}  // namespace

Result<std::unique_ptr<AccessLogWriter>> AccessLogWriter::open(const std::string& target,
                                                               const forwarder::LineRings& rings) {
  std::unique_ptr<AccessLogWriter> writer(
      new AccessLogWriter(target == "stdout" ? "" : target, rings));
  if (auto opened = writer->open_file(); !opened) {
    return tl::unexpected<Error>(std::move(opened.error()));
  }
  writer->thread_ = std::thread([self = writer.get()] { self->run(); });
  return writer;
}

AccessLogWriter::~AccessLogWriter() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  stop_.notify_one();
  if (thread_.joinable()) thread_.join();
}

AccessLogCounts AccessLogWriter::counts() const {
  AccessLogCounts counts{.lines = written_, .dropped = lost_};
  for (const auto& ring : rings_) counts.dropped += ring->dropped();
  return counts;
}

void AccessLogWriter::run() {
  pthread_setname_np(pthread_self(), "skiff-access");
  auto last_line = std::chrono::steady_clock::now();
  auto last_look = last_line;
  while (!is_stopping()) {
    const auto now = std::chrono::steady_clock::now();
    if (now - last_look >= kLookAtFile) {
      reopen_if_moved();
      last_look = now;
    }
    if (write_all()) last_line = now;
    std::unique_lock lock(mutex_);
    stop_.wait_for(lock, now - last_line < 1s ? kPause : kIdlePause,
                   [this] { return is_stopping(); });
  }
  write_all();
}

bool AccessLogWriter::write_all() {
  lines_.clear();
  for (const auto& ring : rings_) ring->take_all(lines_);
  if (lines_.empty()) return false;
  write_lines(lines_);
  return true;
}

// Whole lines, as far as the target takes them; where it fails, the rest is lost.
void AccessLogWriter::write_lines(std::string_view lines) {
  while (!lines.empty()) {
    const ssize_t written = ::write(fd_, lines.data(), lines.size());
    if (written >= 0) {
      const auto size = static_cast<std::size_t>(written);
      written_ += count_lines(lines.substr(0, size));
      lines.remove_prefix(size);
      continue;
    }
    if (errno == EINTR) continue;
    if (errno == EAGAIN) {
      pollfd waiting{.fd = fd_, .events = POLLOUT, .revents = 0};
      const int ready = poll(&waiting, 1, kPatienceMs);
      if (ready > 0 || !is_stopping()) continue;
    }
    lost_ += count_lines(lines);
    return;
  }
}

Result<void> AccessLogWriter::open_file() {
  if (path_.empty()) {
    fd_ = STDOUT_FILENO;
    return {};
  }
  constexpr mode_t kMode = 0640;
  forwarder::Fd file(::open(path_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, kMode));
  if (!file.valid()) {
    return fail(ErrorCode::kUnavailable,
                "access_log_target: cannot open " + path_ + ": " + std::strerror(errno));
  }
  file_ = std::move(file);
  fd_ = file_.get();
  return {};
}

// Where a new one cannot be opened, lines go on into the old one.
void AccessLogWriter::reopen_if_moved() {
  if (path_.empty()) return;
  struct stat ours {};
  struct stat named {};
  const bool is_there = stat(path_.c_str(), &named) == 0;
  const bool is_ours = fstat(fd_, &ours) == 0 && is_there && ours.st_ino == named.st_ino &&
                       ours.st_dev == named.st_dev;
  if (is_ours) return;
  if (auto opened = open_file(); !opened) spdlog::warn("{}", opened.error().message);
}

}  // namespace skiff::agent
