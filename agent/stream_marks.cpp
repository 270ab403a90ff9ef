#include "agent/stream_marks.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace skiff::agent {
namespace {

using forwarder::Fd;
using forwarder::StreamMark;

// "skiff" and the version of this layout.
constexpr std::uint64_t kMagic = 0x73'6b'69'66'66'00'00'01;
constexpr int kSeals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;

}  // namespace

struct StreamMarks::Memory {
  alignas(StreamMark) std::uint64_t magic;
  std::array<StreamMark, kMax> marks;
};

Result<StreamMarks> StreamMarks::create() {
  Fd file(memfd_create("skiff-marks", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!file.valid() || ftruncate(file.get(), sizeof(Memory)) != 0 ||
      fcntl(file.get(), F_ADD_SEALS, kSeals) != 0) {
    return fail(ErrorCode::kUnavailable, "memory for marks: " + forwarder::errno_text(errno));
  }
  Result<StreamMarks> marks = map(std::move(file));
  if (marks) marks->memory_->magic = kMagic;
  return marks;
}

// What is sealed cannot shrink under who reads it.
Result<StreamMarks> StreamMarks::open(Fd file) {
  struct stat info {};
  const bool fits = fstat(file.get(), &info) == 0 && info.st_size == sizeof(Memory) &&
                    (fcntl(file.get(), F_GET_SEALS) & kSeals) == kSeals;
  if (!fits) return fail(ErrorCode::kMalformed, "no marks, or of another version");
  Result<StreamMarks> marks = map(std::move(file));
  if (marks && marks->memory_->magic != kMagic) {
    return fail(ErrorCode::kMalformed, "marks of another version");
  }
  return marks;
}

Result<StreamMarks> StreamMarks::map(Fd file) {
  void* memory = mmap(nullptr, sizeof(Memory), PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
  if (memory == MAP_FAILED) {
    return fail(ErrorCode::kUnavailable, "memory for marks: " + forwarder::errno_text(errno));
  }
  return StreamMarks(std::move(file), static_cast<Memory*>(memory));
}

StreamMarks::StreamMarks(StreamMarks&& other) noexcept
    : file_(std::move(other.file_)), memory_(std::exchange(other.memory_, nullptr)) {}

StreamMarks::~StreamMarks() {
  if (memory_ != nullptr) munmap(memory_, sizeof(Memory));
}

std::span<StreamMark> StreamMarks::all() const { return memory_->marks; }

std::uint64_t socket_cookie(int fd) {
  std::uint64_t cookie = 0;
  socklen_t size = sizeof(cookie);
  return getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &size) == 0 ? cookie : 0;
}

}  // namespace skiff::agent
