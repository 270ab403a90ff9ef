#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "dubbo/result.h"
#include "forwarder/line_ring.h"
#include "forwarder/socket.h"

namespace skiff::agent {

struct AccessLogCounts {
  std::uint64_t lines = 0;    // written
  std::uint64_t dropped = 0;  // for want of room, or since they could not be written
};

// The thread that writes the lines of all workers. A target that takes nothing holds up this thread
// alone: the workers' rings fill, and what comes then is dropped.
class AccessLogWriter {
 public:
  // `target`: "stdout", or the path of a file that is made, or appended to. A file that is renamed
  // or removed is made anew within a second. Fails with kUnavailable where it cannot be opened.
  // `rings` must outlive it.
  static Result<std::unique_ptr<AccessLogWriter>> open(const std::string& target,
                                                       const forwarder::LineRings& rings);
  // Writes what is there, as far as the target takes it.
  ~AccessLogWriter();
  AccessLogWriter(const AccessLogWriter&) = delete;
  AccessLogWriter& operator=(const AccessLogWriter&) = delete;

  // From any thread.
  AccessLogCounts counts() const;

 private:
  AccessLogWriter(std::string path, const forwarder::LineRings& rings)
      : path_(std::move(path)), rings_(rings) {}
  void run();
  // False where there was nothing to write.
  bool write_all();
  void write_lines(std::string_view lines);
  Result<void> open_file();
  void reopen_if_moved();
  bool is_stopping() const { return stopping_.load(std::memory_order_relaxed); }

  const std::string path_;  // "": standard output
  const forwarder::LineRings& rings_;
  forwarder::Fd file_;
  int fd_ = -1;
  std::string lines_;  // in hand
  std::atomic<std::uint64_t> written_{0};
  std::atomic<std::uint64_t> lost_{0};
  std::atomic<bool> stopping_{false};
  std::mutex mutex_;
  std::condition_variable stop_;
  std::thread thread_;
};

}  // namespace skiff::agent
