#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "dubbo/result.h"
#include "forwarder/connection_store.h"
#include "forwarder/socket.h"

namespace skiff::agent {

// Memory of many marks that outlives its process: a file without a name.
class StreamMarks {
 public:
  static constexpr std::size_t kMax = 2048;

  // Fails with kUnavailable where there is no memory.
  static Result<StreamMarks> create();
  // What another process has left. Fails with kMalformed where it is nothing of this kind.
  static Result<StreamMarks> open(forwarder::Fd file);
  StreamMarks(StreamMarks&& other) noexcept;
  StreamMarks& operator=(StreamMarks&&) = delete;
  StreamMarks(const StreamMarks&) = delete;
  StreamMarks& operator=(const StreamMarks&) = delete;
  ~StreamMarks();

  int fd() const { return file_.get(); }
  std::span<forwarder::StreamMark> all() const;

 private:
  struct Memory;
  StreamMarks(forwarder::Fd file, Memory* memory) : file_(std::move(file)), memory_(memory) {}
  static Result<StreamMarks> map(forwarder::Fd file);

  forwarder::Fd file_;
  Memory* memory_;
};

// What SO_COOKIE says: no other socket has or will have the same until the machine starts anew. 0
// where `fd` is no socket.
std::uint64_t socket_cookie(int fd);

}  // namespace skiff::agent
