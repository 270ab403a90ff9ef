#include "agent/state_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <system_error>
#include <utility>

#include "forwarder/socket.h"

namespace skiff::agent {
namespace {

constexpr std::string_view kMagic = "skiff-state ";
constexpr std::size_t kMaxFirstLine = 80;

// FNV-1a of a text that comes in pieces.
class Checksum {
 public:
  void add(std::string_view piece) {
    for (const char c : piece) {
      hash_ ^= static_cast<unsigned char>(c);
      hash_ *= 0x100000001b3;
    }
  }
  std::uint64_t value() const { return hash_; }

 private:
  std::uint64_t hash_ = 0xcbf29ce484222325;
};

std::uint64_t checksum(std::string_view text) {
  Checksum sum;
  sum.add(text);
  return sum.value();
}

// Of one length, whatever it says: it is known when the text behind it is written.
std::string first_line(std::size_t size, std::uint64_t sum) {
  std::array<char, kMaxFirstLine> line{};
  std::snprintf(line.data(), line.size(), "%s%u %010zu %016llx\n", kMagic.data(), kStateFileVersion,
                size, static_cast<unsigned long long>(sum));
  return line.data();
}

tl::unexpected<Error> trouble(const std::string& path, const char* what, int error) {
  return fail(error == ENOENT ? ErrorCode::kNotFound : ErrorCode::kUnavailable,
              path + ": cannot " + what + ": " + std::generic_category().message(error));
}

// 0, or errno.
int write_all(int file, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(file, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return 0;
}

tl::unexpected<Error> too_large(const std::string& path, std::size_t bytes) {
  return fail(ErrorCode::kTooLarge, path + ": would have " + std::to_string(bytes) +
                                        " bytes: the limit is " +
                                        std::to_string(kMaxStateFileBytes));
}

// A file under way. What is written after a failure is lost, and finish() tells.
class Writing {
 public:
  explicit Writing(int file) : file_(file), buffer_(first_line(0, 0)) {}

  void add(std::string_view piece) {
    size_ += piece.size();
    if (error_ != 0 || bytes() > kMaxStateFileBytes) return;
    sum_.add(piece);
    buffer_ += piece;
    if (buffer_.size() >= kBufferBytes) flush();
  }
  std::size_t bytes() const { return first_line_size_ + size_; }
  // 0, or errno.
  int finish() {
    flush();
    const std::string line = first_line(size_, sum_.value());
    if (error_ == 0 && lseek(file_, 0, SEEK_SET) != 0) error_ = errno;
    if (error_ == 0) error_ = write_all(file_, line);
    return error_;
  }

 private:
  static constexpr std::size_t kBufferBytes = std::size_t{256} * 1024;

  void flush() {
    if (error_ == 0) error_ = write_all(file_, buffer_);
    buffer_.clear();
  }

  const int file_;
  std::string buffer_;
  const std::size_t first_line_size_ = buffer_.size();
  std::size_t size_ = 0;  // of the text
  Checksum sum_;
  int error_ = 0;
};

Result<void> write_new(const std::string& path, const StateText& text) {
  constexpr mode_t kOwnerOnly = 0600;
  unlink(path.c_str());  // of a process that ended in the middle; its mode may be another one
  const forwarder::Fd file(open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, kOwnerOnly));
  if (!file.valid()) return trouble(path, "create it", errno);
  Writing writing(file.get());
  text([&writing](std::string_view piece) { writing.add(piece); });
  if (writing.bytes() > kMaxStateFileBytes) return too_large(path, writing.bytes());
  if (const int error = writing.finish(); error != 0) return trouble(path, "write it", error);
  if (fsync(file.get()) != 0) return trouble(path, "sync it", errno);
  return {};
}

Result<void> sync_folder_of(const std::string& path) {
  const std::string folder = path.substr(0, path.rfind('/') + 1);
  const forwarder::Fd file(
      open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!file.valid()) return trouble(folder, "open it", errno);
  if (fsync(file.get()) != 0) return trouble(folder, "sync it", errno);
  return {};
}

// Reads a number and the character behind it.
template <typename Number>
bool take_number(std::string_view& text, Number& number, int base, char then) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (error != std::errc() || end == text.data() + text.size() || *end != then) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()) + 1);
  return true;
}

tl::unexpected<Error> damaged(std::string why) {
  return fail(ErrorCode::kMalformed, "it is damaged: " + std::move(why));
}

}  // namespace

std::string sealed(std::string_view text) {
  return first_line(text.size(), checksum(text)).append(text);
}

Result<std::string> unsealed(std::string_view bytes) {
  constexpr int kDecimal = 10;
  constexpr int kHexadecimal = 16;
  unsigned version = 0;
  std::size_t size = 0;
  std::uint64_t expected = 0;
  if (!bytes.starts_with(kMagic)) return damaged("it does not begin as state files do");
  bytes.remove_prefix(kMagic.size());
  if (!take_number(bytes, version, kDecimal, ' ')) return damaged("its version cannot be read");
  if (version > kStateFileVersion) {
    return fail(ErrorCode::kUnsupported, "a newer agent wrote it: its version is " +
                                             std::to_string(version) + ", the newest known is " +
                                             std::to_string(kStateFileVersion));
  }
  if (!take_number(bytes, size, kDecimal, ' ') ||
      !take_number(bytes, expected, kHexadecimal, '\n')) {
    return damaged("its first line cannot be read");
  }
  if (bytes.size() != size) {
    return damaged("it has " + std::to_string(bytes.size()) + " bytes of text instead of " +
                   std::to_string(size));
  }
  if (checksum(bytes) != expected) return damaged("its checksum is wrong");
  return std::string(bytes);
}

Result<void> write_state_file(const std::string& path, const StateText& text) {
  const std::string next = path + ".new";
  auto written = write_new(next, text).and_then([&]() -> Result<void> {
    if (rename(next.c_str(), path.c_str()) != 0) return trouble(path, "replace it", errno);
    return sync_folder_of(path);
  });
  if (!written) unlink(next.c_str());
  return written;
}

Result<void> write_state_file(const std::string& path, std::string_view text) {
  return write_state_file(path, [text](const TakePiece& take) { take(text); });
}

Result<std::string> read_state_file(const std::string& path) {
  const forwarder::Fd file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file.valid()) return trouble(path, "open it", errno);
  struct stat info {};
  if (fstat(file.get(), &info) != 0) return trouble(path, "read it", errno);
  if (!S_ISREG(info.st_mode)) return fail(ErrorCode::kMalformed, "it is not a plain file");
  if (static_cast<std::size_t>(info.st_size) > kMaxStateFileBytes) {
    return fail(ErrorCode::kTooLarge, "it has " + std::to_string(info.st_size) +
                                          " bytes: the limit is " +
                                          std::to_string(kMaxStateFileBytes));
  }
  std::string bytes(static_cast<std::size_t>(info.st_size), '\0');
  std::size_t length = 0;
  while (length < bytes.size()) {
    const ssize_t got = read(file.get(), bytes.data() + length, bytes.size() - length);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return trouble(path, "read it", errno);
    if (got == 0) break;  // somebody cuts it; what is missing shows
    length += static_cast<std::size_t>(got);
  }
  return unsealed(std::string_view(bytes).substr(0, length));
}

std::string set_aside(const std::string& path) {
  const auto kept = [&path](int number) { return path + ".unusable-" + std::to_string(number); };
  for (int number = kMaxSetAside - 1; number >= 1; --number) {
    rename(kept(number).c_str(), kept(number + 1).c_str());
  }
  return rename(path.c_str(), kept(1).c_str()) == 0 ? kept(1) : "";
}

}  // namespace skiff::agent
